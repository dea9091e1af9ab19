use super::*;

fn at(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

fn is_evicted(evicted: &mut oneshot::Receiver<()>) -> bool {
    evicted.try_recv().is_ok()
}

#[test]
fn one_more_of_a_network_takes_the_place_of_its_oldest() {
    let all = Handshakes::default();
    let mut first: Vec<_> = (0..FROM_ONE)
        .map(|number| all.begin(at(&format!("2001:db8::{number:x}"))))
        .collect();
    // The oldest has sent something; the second has not.
    first[0].0.has_spoken();
    let mut others = [at("2001:db8:0:1::1"), at("192.0.2.1")].map(|other| all.begin(other));
    let next = all.begin(at("2001:db8::ffff:1"));
    let evicted: Vec<bool> = first.iter_mut().map(|(_, one)| is_evicted(one)).collect();
    let mut expected = vec![false; FROM_ONE];
    expected[1] = true;
    assert_eq!(evicted, expected);
    assert!(!others.iter_mut().any(|(_, one)| is_evicted(one)));
    drop((first, others, next));
    assert!(
        all.lock().all.is_empty(),
        "nothing is kept of those that went"
    );
}

#[test]
fn where_all_have_spoken_the_oldest_goes() {
    let all = Handshakes::default();
    let mut places: Vec<_> = (0..=FROM_ONE)
        .map(|_| {
            let (place, evicted) = all.begin(at("192.0.2.1"));
            place.has_spoken();
            (place, evicted)
        })
        .collect();
    let evicted: Vec<bool> = places.iter_mut().map(|(_, one)| is_evicted(one)).collect();
    assert_eq!(evicted.iter().filter(|evicted| **evicted).count(), 1);
    assert!(evicted[0]);
}

#[test]
fn all_networks_together_are_bounded_and_the_greediest_gives_way() {
    let all = Handshakes::default();
    let mut greedy: Vec<_> = (0..FROM_ONE)
        .map(|_| all.begin(at("198.51.100.1")))
        .collect();
    let mut others: Vec<_> = (0..=255)
        .map(|number| all.begin(at(&format!("192.0.2.{number}"))))
        .collect();
    assert_eq!(all.lock().all.len(), ALL);
    assert!(is_evicted(&mut greedy[0].1));
    assert!(
        !is_evicted(&mut others[255].1),
        "the newest always has a place"
    );
    assert_eq!(
        Source::of(at("::ffff:192.0.2.1")),
        Source::of(at("192.0.2.1"))
    );
}
