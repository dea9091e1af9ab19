//! Whether cloud-init writes the configuration of the network.

use accelnet_pci::Root;

use super::files::texts;

/// Whether cloud-init wrote one of `files`, and writes it again at the next boot.
pub fn writes(root: &Root, files: &[String]) -> bool {
    if !root.exists("/var/lib/cloud") || root.exists("/etc/cloud/cloud-init.disabled") {
        return false;
    }
    let kept_off = texts(root, "/etc/cloud/cloud.cfg.d", ".cfg")
        .iter()
        .any(|(_, text)| keeps_off(text));
    // Its files have its name, or report it in their first lines.
    let wrote = |path: &String| {
        let head = || root.text(path).unwrap_or_default();
        path.contains("cloud-init")
            || head()
                .lines()
                .take(5)
                .any(|line| line.contains("cloud-init"))
    };
    !kept_off && files.iter().any(wrote)
}

/// `network: {config: disabled}`, on one line or two.
fn keeps_off(text: &str) -> bool {
    let words: Vec<&str> = text
        .split(|letter: char| letter.is_whitespace() || "{}:,".contains(letter))
        .filter(|word| !word.is_empty())
        .collect();
    words
        .windows(3)
        .any(|words| words == ["network", "config", "disabled"])
}
