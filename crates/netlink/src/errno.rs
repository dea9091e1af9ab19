//! Error numbers by name: administrators search for `EOPNOTSUPP`, not for 95.

#[cfg(test)]
mod tests;

/// A driver's "not supported" that was never meant to leave the kernel
/// (`include/linux/errno.h`), and does.
pub const ENOTSUPP: i32 = 524;

macro_rules! names {
    ($($name:ident)*) => {
        /// The name of an error number; none for one that drivers and netlink do not use.
        pub fn name(errno: i32) -> Option<&'static str> {
            match errno {
                $(libc::$name => Some(stringify!($name)),)*
                ENOTSUPP => Some("ENOTSUPP"),
                _ => None,
            }
        }
    };
}

names! {
    EPERM ENOENT ESRCH EINTR EIO ENXIO E2BIG EBADF EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST
    EXDEV ENODEV ENOTDIR EISDIR EINVAL ENFILE EMFILE ENOTTY EFBIG ENOSPC EROFS EPIPE EDOM
    ERANGE ENAMETOOLONG ENOSYS ENOTEMPTY ELOOP ENODATA ETIME ENOLINK EPROTO EBADMSG EOVERFLOW
    ENOTUNIQ EMSGSIZE ENOPROTOOPT EPROTONOSUPPORT ESOCKTNOSUPPORT EOPNOTSUPP EPFNOSUPPORT
    EAFNOSUPPORT EADDRINUSE EADDRNOTAVAIL ENETDOWN ENETUNREACH ENETRESET ECONNABORTED
    ECONNRESET ENOBUFS EISCONN ENOTCONN ESHUTDOWN ETIMEDOUT ECONNREFUSED EHOSTDOWN
    EHOSTUNREACH EALREADY EINPROGRESS ESTALE EREMOTEIO ECANCELED ERFKILL
}

/// The C library's text for an error number, with a small letter first.
pub fn sentence(errno: i32) -> String {
    if errno == ENOTSUPP {
        return "operation is not supported".to_owned();
    }
    let text = std::io::Error::from_raw_os_error(errno).to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    match letters.next() {
        Some(first) => first.to_lowercase().chain(letters).collect(),
        None => String::new(),
    }
}
