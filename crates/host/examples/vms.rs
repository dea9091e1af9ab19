//! Changes VMs from the command line, to try [`accelnet_host::Vms`] on a real libvirt.
//!
//! `vms xml UUID SIDE`, `vms define FILE`, `vms attach|detach|update UUID FILE SIDE`,
//! `vms start UUID`, `vms networks`, `vms net-define FILE`, `vms net-start|net-stop|net-remove
//! NAME`, `vms ask UUID JSON`, `vms saved UUID`, `vms watch`, `vms team|unteam|vf UUID MAC`,
//! `vms hook DIR`. SIDE is `live` or `config`; FILE `-` is standard input.

use std::error::Error;
use std::fs;
use std::io::{Read, Write};
use std::time::Duration;

use accelnet_host::hook;
use accelnet_host::vms::{LibvirtVms, Side, Vms};
use accelnet_libvirt::xml::{self, DomainXml, Part};

const WITHIN: Duration = Duration::from_secs(30);

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let vms = LibvirtVms::new();
    match words[..] {
        ["xml", uuid, of] => print!("{}", vms.xml(uuid, side(of))?),
        ["define", file] => vms.define(&text(file)?)?,
        ["attach", uuid, file, of] => vms.attach(uuid, &text(file)?, side(of))?,
        ["detach", uuid, file, of] => vms.detach(uuid, &text(file)?, side(of), WITHIN)?,
        ["update", uuid, file, of] => vms.update(uuid, &text(file)?, side(of))?,
        ["start", uuid] => vms.start(uuid)?,
        ["networks"] => {
            for network in vms.networks()? {
                println!("{network:?}");
            }
        }
        ["net-define", file] => vms.define_network(&text(file)?, true)?,
        ["net-start", name] => vms.start_network(name)?,
        ["net-stop", name] => vms.stop_network(name)?,
        ["net-remove", name] => vms.remove_network(name)?,
        ["ask", uuid, command] => println!("{}", vms.ask_guest(uuid, command, WITHIN).wait()?),
        ["saved", uuid] => println!("{:?}", vms.saved_state(uuid)?),
        ["watch"] => {
            let _watch = vms.watch(Box::new(|event| {
                println!("{event:?}");
                drop(std::io::stdout().flush());
            }))?;
            loop {
                std::thread::park();
            }
        }
        ["team" | "unteam", uuid, mac] => {
            let definition = vms.xml(uuid, Side::Config)?;
            let mac = mac.parse()?;
            let vnic = DomainXml::parse(&definition)?.interface(mac, Part::Persistent);
            let vnic = vnic.ok_or("the VM has no such vNIC")?;
            let vnic = match words[0] {
                "team" => vnic.with_teaming(&xml::persistent_alias(mac)),
                _ => vnic.without_teaming(false),
            };
            println!("{vnic}");
        }
        ["vf", pool, mac] => {
            let mac = mac.parse()?;
            let (partner, own) = (xml::persistent_alias(mac), xml::vf_alias(mac));
            println!("{}", xml::vf_interface(pool, mac, &partner, &own, None, ""));
        }
        ["hook", folder] => println!(
            "{}",
            hook::install(folder.as_ref(), "/usr/local/bin/accelnet".as_ref())?
        ),
        _ => return Err("see the top of crates/host/examples/vms.rs".into()),
    }
    Ok(())
}

fn side(word: &str) -> Side {
    match word {
        "live" => Side::Live,
        _ => Side::Config,
    }
}

fn text(file: &str) -> std::io::Result<String> {
    match file {
        "-" => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        _ => fs::read_to_string(file),
    }
}
