use super::*;
use crate::message::Message;

fn answer(fill: impl FnOnce(&mut Writer)) -> Answer {
    let mut body = header(DEVLINK_CMD_ESWITCH_GET);
    fill(&mut body);
    let message = Message {
        kind: 20,
        flags: 0,
        sequence: 1,
        body: &body.finish(),
    };
    Answer {
        messages: message.encode(),
        warning: None,
    }
}

#[test]
fn modes_are_read() {
    let told = |mode: u16| {
        mode_of(move |body| {
            body.bytes(DEVLINK_ATTR_ESWITCH_MODE, &mode.to_ne_bytes());
        })
    };
    assert_eq!(told(0), Ok(Some(EswitchMode::Legacy)));
    assert_eq!(told(1), Ok(Some(EswitchMode::Switchdev)));
    assert_eq!(told(2), Ok(Some(EswitchMode::Switchdev)));
    assert!(told(3).is_err());
}

fn mode_of(fill: impl FnOnce(&mut Writer)) -> Result<Option<EswitchMode>, Malformed> {
    mode(&answer(|body| {
        body.text(DEVLINK_ATTR_BUS_NAME, "pci");
        fill(body);
    }))
}

#[test]
fn an_answer_without_mode_has_none_and_a_broken_one_is_refused() {
    assert_eq!(mode_of(|_| {}), Ok(None));
    let wide = mode_of(|body| {
        body.words(DEVLINK_ATTR_ESWITCH_MODE, &[1]);
    });
    assert!(wide.is_err());
    let short = Message {
        kind: 20,
        flags: 0,
        sequence: 1,
        body: &[0; 3],
    };
    let short = Answer {
        messages: short.encode(),
        warning: None,
    };
    assert!(mode(&short).is_err());
}

#[test]
fn only_some_refusals_mean_that_there_is_none() {
    let refused = |errno| {
        let ack = crate::Ack {
            errno,
            ..crate::Ack::default()
        };
        NetlinkError::refused("x", ack)
    };
    assert_eq!(
        absent::<u16>(refused(libc::ENODEV), &[libc::ENODEV]),
        Ok(None)
    );
    let error = absent::<u16>(refused(libc::EPERM), &[libc::ENODEV]);
    assert_eq!(error, Err(refused(libc::EPERM)));
}
