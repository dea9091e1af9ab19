use super::*;

#[test]
fn a_missing_library_is_distinguished_from_a_broken_one() {
    // The words of glibc and of musl.
    for words in [
        "libvirt.so.0: cannot open shared object file: No such file or directory",
        "Error loading shared library libvirt.so.0: No such file or directory",
    ] {
        let error = not_loaded(words.to_owned());
        assert!(
            matches!(error, LibvirtError::NotInstalled { .. }),
            "{error}"
        );
        assert!(error.to_string().contains(words), "{error}");
    }
    for words in [
        "libyajl.so.2: cannot open shared object file: No such file or directory",
        "Error loading shared library libyajl.so.2: No such file or directory (needed by \
         /usr/lib/libvirt.so.0)",
        "libvirt.so.0: invalid ELF header",
    ] {
        let error = not_loaded(words.to_owned());
        assert!(matches!(error, LibvirtError::Unusable { .. }), "{error}");
    }
}

#[test]
fn the_dynamic_linkers_words_are_kept() {
    // SAFETY: nothing is loaded.
    let error = unsafe { Library::new("libaccelnet-is-not-there.so.0") };
    let words = words(&error.err().unwrap());
    assert!(words.contains("libaccelnet-is-not-there.so.0"), "{words}");
    assert!(words.contains("No such file"), "{words}");
}
