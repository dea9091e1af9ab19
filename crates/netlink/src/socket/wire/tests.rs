use netlink_sys::constants::NETLINK_USERSOCK;

use super::*;

#[test]
fn datagrams_of_any_size_arrive_whole() {
    let mut socket = Socket::new(NETLINK_USERSOCK).unwrap();
    let address = socket.bind_auto().unwrap();
    let mut wire = KernelWire { socket };
    let sender = Socket::new(NETLINK_USERSOCK).unwrap();
    for size in [
        16,
        DATAGRAM_BYTES - 1,
        DATAGRAM_BYTES,
        DATAGRAM_BYTES + 1,
        60_000,
        150_000,
    ] {
        let datagram: Vec<u8> = (0..size).map(|byte| byte as u8).collect();
        sender.send_to(&datagram, &address, 0).unwrap();
        assert!(wire.receive().unwrap() == datagram, "{size} bytes");
    }
}

#[test]
fn silence_ends_at_the_deadline() {
    let mut wire = KernelWire::open(NETLINK_USERSOCK, Duration::from_millis(20)).unwrap();
    let error = wire.receive().unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::EAGAIN));
}

#[test]
fn only_the_kernel_can_answer() {
    let wire = KernelWire::open(NETLINK_USERSOCK, Duration::from_millis(20)).unwrap();
    let mut address = SocketAddr::new(0, 0);
    wire.socket.get_address(&mut address).unwrap();
    let stranger = Socket::new(NETLINK_USERSOCK).unwrap();
    let error = stranger.send_to(&[0; 16], &address, 0).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(libc::ECONNREFUSED));
}
