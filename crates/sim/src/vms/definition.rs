//! Definitions of domains, written as libvirt shows them.

use accelnet_model::Mac;

/// A vNIC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NicSpec {
    /// Its MAC.
    pub mac: Mac,
    /// `network`, `bridge`, or `direct` for a macvtap.
    pub kind: &'static str,
    /// Name of that.
    pub source: String,
    /// Its model.
    pub model: &'static str,
}

impl NicSpec {
    /// A virtio vNIC on a libvirt network.
    pub fn on_network(mac: Mac, network: &str) -> Self {
        NicSpec {
            mac,
            kind: "network",
            source: network.to_owned(),
            model: "virtio",
        }
    }

    /// A virtio vNIC on a bridge of the host.
    pub fn on_bridge(mac: Mac, bridge: &str) -> Self {
        NicSpec {
            kind: "bridge",
            ..NicSpec::on_network(mac, bridge)
        }
    }

    /// A virtio vNIC that is a macvtap of a link of the host.
    pub fn on_link(mac: Mac, link: &str) -> Self {
        NicSpec {
            kind: "direct",
            ..NicSpec::on_network(mac, link)
        }
    }

    /// The attribute of `<source>` that has its name.
    fn source_attribute(&self) -> &'static str {
        match self.kind {
            "direct" => "dev",
            kind => kind,
        }
    }
}

/// A domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainSpec {
    /// Its name.
    pub name: String,
    /// Its UUID.
    pub uuid: String,
    /// Its vCPUs.
    pub vcpus: u32,
    /// Its memory in MiB.
    pub memory_mib: u64,
    /// Its vNICs.
    pub nics: Vec<NicSpec>,
    /// Its PCI Express ports: each vNIC takes one, and so does its disk.
    pub ports: u32,
    /// What else stands in it, such as `<memtune>`.
    pub more: String,
}

impl DomainSpec {
    /// A domain with `vcpus` and no vNIC; `number` makes its UUID.
    pub fn new(name: &str, number: u32, vcpus: u32) -> Self {
        DomainSpec {
            name: name.to_owned(),
            uuid: format!("ac0e1ab5-0000-4000-8000-{number:012x}"),
            vcpus,
            memory_mib: 4096,
            nics: Vec::new(),
            ports: 6,
            more: String::new(),
        }
    }

    /// With a vNIC.
    #[must_use]
    pub fn nic(mut self, nic: NicSpec) -> Self {
        self.nics.push(nic);
        self
    }

    /// Its XML.
    pub fn xml(&self) -> String {
        let place = |bus: usize| {
            format!(
                "<address type='pci' domain='0x0000' bus='{bus:#04x}' slot='0x00' function='0x0'/>"
            )
        };
        let ports: String = (1..=self.ports)
            .map(|port| {
                format!(
                    "    <controller type='pci' index='{port}' model='pcie-root-port'>\n      \
                     <target chassis='{port}' port='{port:#x}'/>\n    </controller>\n"
                )
            })
            .collect();
        let nics: String = self
            .nics
            .iter()
            .enumerate()
            .map(|(number, nic)| {
                format!(
                    "    <interface type='{}'>\n      <mac address='{}'/>\n      \
                     <source {}='{}'/>\n      <model type='{}'/>\n      {}\n    </interface>\n",
                    nic.kind,
                    nic.mac,
                    nic.source_attribute(),
                    nic.source,
                    nic.model,
                    place(number + 2)
                )
            })
            .collect();
        format!(
            "<domain type='kvm'>\n  <name>{}</name>\n  <uuid>{}</uuid>\n  <metadata>\n    \
             <app:owner xmlns:app='urn:example:app'>whoever made it</app:owner>\n    \
             <libosinfo:libosinfo xmlns:libosinfo='http://libosinfo.org/xmlns/libvirt/domain/1.0'>\
             <libosinfo:os id='http://debian.org/debian/13'/></libosinfo:libosinfo>\n  </metadata>\n  \
             <memory unit='MiB'>{}</memory>\n  <vcpu placement='static'>{}</vcpu>\n  {}<os>\n    \
             <type arch='x86_64' machine='pc-q35-10.0'>hvm</type>\n    <boot dev='hd'/>\n  </os>\n  \
             <devices>\n    <emulator>/usr/bin/qemu-system-x86_64</emulator>\n    \
             <disk type='file' device='disk'>\n      <source file='/var/lib/libvirt/images/{}.qcow2'/>\n      \
             <target dev='vda' bus='virtio'/>\n      {}\n    </disk>\n    \
             <controller type='pci' index='0' model='pcie-root'/>\n{ports}{nics}    \
             <channel type='unix'>\n      <target type='virtio' name='org.qemu.guest_agent.0'/>\n    \
             </channel>\n    <memballoon model='none'/>\n  </devices>\n</domain>\n",
            self.name,
            self.uuid,
            self.memory_mib,
            self.vcpus,
            self.more,
            self.name,
            place(1)
        )
    }
}
