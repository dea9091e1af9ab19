//! How a cmdlet is used.

use super::table::{CMDLETS, Cmdlet, Kind, Parameter};

/// One line.
pub fn usage(cmdlet: &Cmdlet) -> String {
    let mut text = format!("usage: {}", cmdlet.name);
    for parameter in cmdlet.parameters {
        text.push_str(&format!(" {}", spelled(parameter)));
    }
    if cmdlet.changes {
        text.push_str(" [-WhatIf]");
    }
    text.push('\n');
    text
}

fn spelled(parameter: &Parameter) -> String {
    let name = match parameter.position {
        Some(_) => format!("[-{}]", parameter.name),
        None => format!("-{}", parameter.name),
    };
    let whole = match parameter.kind {
        Kind::Switch => return format!("[-{}]", parameter.name),
        Kind::Text => format!("{name} TEXT"),
        Kind::Blank => format!("{name} [N]"),
        Kind::List => format!("{name} NAME,..."),
    };
    match parameter.required {
        true => whole,
        false => format!("[{whole}]"),
    }
}

/// The whole of it.
pub fn text(cmdlet: &Cmdlet) -> String {
    let mut text = format!("{}\n\n{}\n", cmdlet.about, usage(cmdlet));
    let wide = cmdlet
        .all()
        .map(|parameter| parameter.name.len())
        .max()
        .unwrap_or(0);
    for parameter in cmdlet.all() {
        let required = if parameter.required { " Required." } else { "" };
        let piped = if parameter.pipeline {
            " Can come from a pipe, one name a line."
        } else {
            ""
        };
        text.push_str(&format!(
            "  -{:<wide$}  {}{required}{piped}\n",
            parameter.name, parameter.about
        ));
    }
    text.push_str(&format!(
        "\nParameters are accepted in any case and abbreviated. The same as: {}\n",
        cmdlet.native
    ));
    text
}

/// `docs/cmdlets.md`, without its head.
pub fn page() -> String {
    let mut text =
        "| name | the same as `accelnet` | parameters |\n| --- | --- | --- |\n".to_owned();
    for cmdlet in CMDLETS {
        let parameters: Vec<String> = cmdlet
            .parameters
            .iter()
            .map(|parameter| {
                let piped = if parameter.pipeline {
                    ", from a pipe"
                } else {
                    ""
                };
                let kind = match parameter.kind {
                    Kind::Text => "text",
                    Kind::Blank => "number or blank",
                    Kind::List => "list",
                    Kind::Switch => "switch",
                };
                let required = if parameter.required { ", required" } else { "" };
                format!("`-{}` ({kind}{required}{piped})", parameter.name)
            })
            .collect();
        let native: Vec<String> = cmdlet
            .native
            .split(", ")
            .map(|native| format!("`{}`", native.trim_start_matches("accelnet ")))
            .collect();
        text.push_str(&format!(
            "| `{}` | {} | {} |\n",
            cmdlet.name,
            native.join(", "),
            match parameters.as_slice() {
                [] => "none".to_owned(),
                some => some.join(", "),
            }
        ));
    }
    text
}
