//! Domains, read through libvirt's C library, opened at run time.
