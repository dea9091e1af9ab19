//! Domains as a libvirt may have them: interface elements with whatever its schema allows, in any order
//! and any white space, between other devices and metadata of others.

use accelnet_libvirt::xml::{DomainXml, Part};
use accelnet_model::Mac;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use crate::fixture::{INTENT, mac};

/// The VM of the tests.
pub const UUID: &str = "ac0e1ab5-0000-4000-8000-0000000000aa";
/// Its name.
pub const NAME: &str = "web01";

/// A domain with a vNIC that can be accelerated.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its XML, as somebody hands it to libvirt.
    pub xml: String,
    /// Whether its first vNIC is on the intent's switch: else it gets one.
    pub on_switch: bool,
}

/// An element: its name and attributes, and what is in it.
#[derive(Debug, Clone)]
struct Element {
    open: String,
    inside: String,
}

/// Children that any interface may have, beside those that say what it is connected to.
const OPTIONS: &[(&str, &[(&str, &str)])] = &[
    ("target dev='web01-lan'", &[]),
    ("target dev='t-lan' managed='no'", &[]),
    ("target dev='vnet77'", &[]),
    ("guest dev='eth7' actual='eth8'", &[]),
    ("ip address='192.0.2.7' family='ipv4' prefix='24'", &[]),
    ("route address='0.0.0.0' gateway='192.0.2.1'", &[]),
    ("script path='/etc/up &amp; &lt;away&gt;'", &[]),
    ("downscript path='/etc/down'", &[]),
    ("backenddomain name='netvm'", &[]),
    ("backend tap='/dev/net/tun' vhost='/dev/vhost-net'", &[]),
    (
        "driver name='vhost' txmode='iothread' ioeventfd='on' event_idx='off' queues='2' rx_queue_size='256' iommu='on' ats='on'",
        &[
            ("host csum='off' gso='off' mrg_rxbuf='on'", ""),
            ("guest csum='off' tso4='off'", ""),
        ],
    ),
    ("driver packed='on'", &[]),
    ("mtu size='1400'", &[]),
    ("coalesce", &[("rx", "<frames max='7'/>")]),
    ("tune", &[("sndbuf", "1600")]),
    ("link state='up'", &[]),
    ("boot order='1'", &[]),
    ("rom bar='off' file='/usr/share/qemu/efi-virtio.rom'", &[]),
    ("acpi index='7'", &[]),
    ("alias name='ua-mine'", &[]),
    ("alias name='ua-accelnet-path-is-mine'", &[]),
    ("teaming type='persistent'", &[]),
    ("port isolated='no'", &[]),
    (
        "bandwidth",
        &[("outbound average='1000' peak='5000' burst='1024'", "")],
    ),
];

/// Children that a VF goes past, so that a vNIC with one may be refused.
const PAST: &[(&str, &[(&str, &str)])] = &[
    (
        "filterref filter='clean-traffic'",
        &[("parameter name='IP' value='192.0.2.7'", "")],
    ),
    ("port isolated='yes'", &[]),
    ("bandwidth", &[("inbound average='1000' floor='200'", "")]),
    (
        "virtualport",
        &[(
            "parameters interfaceid='09b11c53-8b5c-4eeb-8f00-d84eaa0aaa4f'",
            "",
        )],
    ),
    // On a bridge that looks at no VLANs.
    ("vlan", &[("tag id='42'", "")]),
];

/// What interfaces are connected to that no VF stands beside.
const OTHERS: &[&str] = &[
    "type='user'|",
    "type='user'|<source dev='eth0'/>",
    "type='ethernet'|<source><ip address='192.0.2.9' prefix='24'/></source>",
    "type='vhostuser'|<source type='unix' path='/run/v.sock' mode='server'><reconnect enabled='yes' timeout='3'/></source>",
    "type='direct'|<source dev='eth0' mode='bridge'/>",
    "type='internal'|<source name='wire'/>",
    "type='mcast'|<source address='230.0.0.1' port='5558'/>",
    "type='server'|<source port='5558'/>",
    "type='client'|<source address='192.0.2.1' port='5558'/>",
    "type='udp'|<source address='127.0.0.1' port='11115'><local address='127.0.0.1' port='11116'/></source>",
    "type='vdpa'|<source dev='/dev/vhost-vdpa-0'/>",
    "type='null'|",
];

/// What stands in `<metadata>`, or beside the devices.
const METADATA: &[&str] = &[
    "<!-- <devices><interface type='user'/></devices> -->",
    "<app:owner xmlns:app='urn:example:app'\tseen=\"yes\">whoever   made it</app:owner>",
    "<x:y xmlns:x=\"urn:x\"><x:interface type='network'><x:alias name='ua-accelnet-path-1'/></x:interface></x:y>",
    "<c:d xmlns:c='urn:c'><![CDATA[<interface></interface>&]]></c:d>",
    "<e:f xmlns:e='urn:e'>&#228; &amp; &lt;devices&gt; ü</e:f>",
    "<libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>\n      <libosinfo:os id='http://microsoft.com/win/11'/>\n    </libosinfo:libosinfo>",
    "<?keep this?>",
];

/// Devices and more that have nothing to do with networks.
const DEVICES: &[&str] = &[
    "<graphics type='vnc' port='-1' passwd='a&amp;b'/>",
    "<channel type='unix'>\n      <target type='virtio' name='org.qemu.guest_agent.0'/>\n    </channel>",
    "<serial type='file'><source path='/tmp/interface'/></serial>",
    "<hostdev mode='subsystem' type='usb'><source><vendor id='0x1234'/><product id='0x1'/></source></hostdev>",
    "<memballoon model='none'/>",
];

fn blanks() -> impl Strategy<Value = &'static str> {
    select(&["", " ", "\n", "\n      ", "\t\n  "][..])
}

fn elements(
    of: &'static [(&'static str, &'static [(&'static str, &'static str)])],
) -> Vec<Element> {
    let inside = |children: &[(&str, &str)]| -> String {
        let child = |(open, text): &(&str, &str)| {
            let name = open.split(' ').next().unwrap_or_default();
            match text.is_empty() {
                true => format!("<{open}/>"),
                false => format!("<{open}>{text}</{name}>"),
            }
        };
        children.iter().map(child).collect()
    };
    of.iter()
        .map(|(open, children)| Element {
            open: (*open).to_owned(),
            inside: inside(children),
        })
        .collect()
}

/// Some of the children, each kind once, among them `fixed`, in any order.
fn children(fixed: Vec<Element>, past: bool) -> impl Strategy<Value = Vec<Element>> {
    let mut all = elements(OPTIONS);
    if past {
        all.extend(elements(PAST));
    }
    let count = all.len();
    subsequence(all, 0..count / 2).prop_flat_map(move |some| {
        let mut chosen = fixed.clone();
        for one in some {
            let kind = |one: &Element| one.open.split(' ').next().map(str::to_owned);
            if chosen.iter().all(|other| kind(other) != kind(&one)) {
                chosen.push(one);
            }
        }
        Just(chosen).prop_shuffle()
    })
}

/// One interface: what its start tag says, and its children.
fn interface(head: String, fixed: Vec<Element>, past: bool) -> impl Strategy<Value = String> {
    let trust = option::of(select(&["yes", "no"][..]));
    let styles = vec((blanks(), any::<bool>(), any::<bool>()), 40);
    (children(fixed, past), trust, styles).prop_map(move |(children, trust, styles)| {
        let trust = trust.map_or_else(String::new, |trust| {
            format!(" trustGuestRxFilters='{trust}'")
        });
        let mut text = format!("<interface {head}{trust}>");
        for (Element { open, inside }, (space, double, long)) in children.iter().zip(&styles) {
            let name = open.split(' ').next().unwrap_or_default();
            let whole = match inside.is_empty() && !long {
                true => format!("<{open} />"),
                false => format!("<{open}>{inside}</{name}>"),
            };
            text += space;
            text += &match double {
                true => whole.replace('\'', "\""),
                false => whole,
            };
        }
        text + "\n    </interface>"
    })
}

fn plain(open: &str, inside: &str) -> Element {
    Element {
        open: open.to_owned(),
        inside: inside.to_owned(),
    }
}

fn place(bus: usize) -> Element {
    plain(
        &format!("address type='pci' domain='0x0000' bus='{bus:#04x}' slot='0x00' function='0x0'"),
        "",
    )
}

/// A vNIC on the intent's switch, in port `bus`.
fn switched(bus: usize) -> impl Strategy<Value = String> {
    let said = select(&["", " type='static'", " check='no'"][..]);
    (any::<bool>(), said, prop::bool::weighted(0.1)).prop_flat_map(move |(network, more, past)| {
        let (kind, source) = match network {
            true => ("network", format!("source network='accelnet-{INTENT}'")),
            false => ("bridge", format!("source bridge='acn-{INTENT}'")),
        };
        let address = mac(1).to_string().to_uppercase();
        let fixed = vec![
            plain(&format!("mac address='{address}'{more}"), ""),
            plain(&source, ""),
            plain("model type='virtio'", ""),
            place(bus),
        ];
        interface(format!("type='{kind}'"), fixed, past)
    })
}

/// A vNIC elsewhere, in port `bus`.
fn other(bus: usize) -> impl Strategy<Value = String> {
    let model = select(&["virtio", "e1000e", "virtio-non-transitional"][..]);
    (select(OTHERS), model).prop_flat_map(move |(what, model)| {
        let (head, source) = what.split_once('|').unwrap_or((what, ""));
        let mut fixed = vec![
            plain(&format!("mac address='{}'", mac(0x20 + bus as u8)), ""),
            plain(&format!("model type='{model}'"), ""),
            place(bus),
        ];
        if let Some(source) = source.strip_prefix('<') {
            let (open, rest) = source.split_once('>').unwrap_or((source, ""));
            let inside = rest.strip_suffix("</source>").unwrap_or_default();
            fixed.push(plain(open.trim_end_matches('/'), inside));
        }
        // libvirt refuses an alias that another device of the domain has.
        interface(head.to_owned(), fixed, true)
            .prop_map(move |text| text.replace("-mine", &format!("-mine-{bus}")))
    })
}

/// A domain.
pub fn sample() -> impl Strategy<Value = Sample> {
    let on_switch = prop::bool::weighted(0.8);
    (on_switch, 0..3_usize, 1..3_usize).prop_flat_map(|(on_switch, others, spare)| {
        let first = match on_switch {
            true => switched(2).boxed(),
            false => other(2).boxed(),
        };
        let others: Vec<_> = (0..others)
            .map(|number| other(3 + number).boxed())
            .collect();
        let ports = 2 + others.len() + spare + usize::from(!on_switch);
        let metadata = subsequence(METADATA, 0..METADATA.len());
        let devices = subsequence(DEVICES, 0..DEVICES.len());
        let first_place = 0..=others.len();
        (first, others, first_place, metadata, devices, blanks()).prop_map(
            move |(first, mut nics, place, metadata, devices, space)| {
                nics.insert(place, first);
                let middle = devices.len() / 2;
                let xml = domain(
                    ports,
                    &metadata.join("\n    "),
                    &format!(
                        "{}\n    {}{space}{}",
                        devices[..middle].join("\n    "),
                        nics.join("\n    "),
                        devices[middle..].join("\n    ")
                    ),
                );
                Sample { xml, on_switch }
            },
        )
    })
}

/// A domain with these ports, all in one slot, and a disk in the first.
fn domain(ports: usize, metadata: &str, devices: &str) -> String {
    let ports: String = (1..=ports)
        .map(|port| {
            let function = port - 1;
            let many = if function == 0 { " multifunction='on'" } else { "" };
            format!(
                "    <controller type='pci' index='{port}' model='pcie-root-port'>\n      \
                 <model name='pcie-root-port'/>\n      <target chassis='{port}' port='{:#x}'/>\n      \
                 <address type='pci' domain='0x0000' bus='0x00' slot='0x02' function='{function:#x}'{many}/>\n    \
                 </controller>\n",
                0x10 + function
            )
        })
        .collect();
    format!(
        "<domain type='kvm' xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <name>{NAME}</name>\n  \
         <uuid>{UUID}</uuid>\n  <title>A &amp; &lt;b&gt;</title>\n  <metadata>\n    {metadata}\n  </metadata>\n  \
         <memory unit='MiB'>4096</memory>\n  <vcpu placement='static'>4</vcpu>\n  <os>\n    \
         <type arch='x86_64' machine='pc-q35-10.0'>hvm</type>\n  </os>\n  <devices>\n    \
         <disk type='file' device='disk'>\n      <source file='/var/lib/libvirt/images/web01.qcow2'/>\n      \
         <target dev='vda' bus='virtio'/>\n      \
         <address type='pci' domain='0x0000' bus='0x01' slot='0x00' function='0x0'/>\n    </disk>\n    \
         <controller type='pci' index='0' model='pcie-root'/>\n{ports}    {devices}\n  </devices>\n  \
         <qemu:commandline>\n    <qemu:env name='INTERFACE' value='a&apos;b'/>\n  </qemu:commandline>\n</domain>\n"
    )
}

/// The text of the interface with that MAC in a domain's XML.
pub fn interface_fragment(xml: &str, mac: Mac, part: Part) -> Option<String> {
    let found = DomainXml::parse(xml).ok()?.interface(mac, part)?;
    Some(found.as_str().to_owned())
}
