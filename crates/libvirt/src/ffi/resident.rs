//! Memory that only work needed: libvirt's library loads forty others, the dynamic linker and their
//! constructors touch most of their pages once, and so does each change of a VM many.

use std::ops::Range;

/// Gives the kernel back all pages that are mapped from files and were never written to: what
/// is needed again is there again when it is touched, from the page cache or from the file.
/// What cannot be given back stays.
pub fn give_back() {
    let Ok(maps) = std::fs::read_to_string("/proc/self/smaps") else {
        return;
    };
    for range in untouched(&maps) {
        let length = range.end - range.start;
        // SAFETY: nothing can be lost: the mapping is of a file, cannot be written to, and has
        // no page of its own, so that what is read there is the file's before and after.
        unsafe { libc::madvise(range.start as *mut _, length, libc::MADV_DONTNEED) };
    }
}

/// The mappings of files that cannot be written to and have no page that differs from the
/// file, such as relocated tables or a debugger's breakpoints (`proc_pid_smaps(5)`).
fn untouched(maps: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut current: Option<Range<usize>> = None;
    for line in maps.lines() {
        if let Some(mapping) = Mapping::parse(line) {
            current = mapping.is_read_only_file().then_some(mapping.range);
        } else if let Some(kib) = line.strip_prefix("Anonymous:")
            && kib.trim() == "0 kB"
        {
            found.extend(current.take());
        }
    }
    found
}

/// The first line of a mapping.
struct Mapping<'a> {
    range: Range<usize>,
    rights: &'a str,
    inode: &'a str,
}

impl<'a> Mapping<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut words = line.split_ascii_whitespace();
        let (start, end) = words.next()?.split_once('-')?;
        let address = |text| usize::from_str_radix(text, 16).ok();
        Some(Mapping {
            range: address(start)?..address(end)?,
            rights: words.next()?,
            inode: words.nth(2)?,
        })
    }

    fn is_read_only_file(&self) -> bool {
        self.rights.starts_with('r') && !self.rights.contains('w') && self.inode != "0"
    }
}

#[cfg(test)]
mod tests;
