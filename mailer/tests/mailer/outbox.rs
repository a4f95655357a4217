//! The outbox: whole files or none, under names that follow from the message.

use andon_domain::CommandKind::Down;
use andon_mailer::{Config, History, Look, Mail, Outbox, SendError, Transport, render};

use crate::support::{START, command, subscriber, subscriber_id};

fn mail(to: u128) -> Mail {
    let look = Look::new(&Config::default()).unwrap();
    render(&command(1, Down, to, START), &History::default(), &subscriber(to), &look).unwrap()
}

#[test]
fn a_message_becomes_one_file_however_often_it_is_sent() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&folder.path().join("out/box")).unwrap();
    let mail = mail(1);
    for _ in 0..3 {
        outbox.send(&mail).unwrap();
    }
    let path = folder.path().join("out/box").join(subscriber_id(1).to_string());
    let files: Vec<_> = std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(files, [outbox.path_of(&mail)]);
    let name = format!("{START}-down-{}.eml", mail.notification_id);
    assert_eq!(outbox.path_of(&mail), path.join(name));
    assert_eq!(std::fs::read(&files[0]).unwrap(), mail.content);
}

#[test]
fn half_a_file_that_a_crash_left_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    let mail = mail(1);
    let own = folder.path().join(subscriber_id(1).to_string());
    std::fs::create_dir(&own).unwrap();
    std::fs::write(own.join(format!(".{}.part", mail.notification_id)), [0; 9_000]).unwrap();
    outbox.send(&mail).unwrap();
    assert_eq!(std::fs::read_dir(&own).unwrap().count(), 1);
    assert_eq!(std::fs::read(outbox.path_of(&mail)).unwrap(), mail.content);
}

#[test]
fn erasing_deletes_one_subscriber_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    outbox.send(&mail(1)).unwrap();
    outbox.send(&mail(2)).unwrap();
    assert!(outbox.erase(subscriber_id(1)).unwrap());
    assert!(!outbox.erase(subscriber_id(1)).unwrap(), "there was nothing left");
    assert!(!outbox.path_of(&mail(1)).exists());
    assert!(outbox.path_of(&mail(2)).exists());
}

#[test]
fn a_folder_that_cannot_be_written_is_a_broken_way_and_no_fault_of_the_message() {
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(folder.path()).unwrap();
    // A file where the folder of the subscriber should be.
    std::fs::write(folder.path().join(subscriber_id(1).to_string()), b"").unwrap();
    let error = outbox.send(&mail(1)).unwrap_err();
    assert!(matches!(error, SendError::Infrastructure(_)), "{error:?}");
    // And one in the way of the message itself.
    std::fs::create_dir_all(outbox.path_of(&mail(2)).join("x")).unwrap();
    let error = outbox.send(&mail(2)).unwrap_err();
    assert!(matches!(error, SendError::Infrastructure(_)), "{error:?}");
    let own = folder.path().join(subscriber_id(2).to_string());
    assert_eq!(std::fs::read_dir(own).unwrap().count(), 1, "half a message is not left behind");
}

#[cfg(unix)]
#[test]
fn nobody_but_the_owner_may_read_an_address() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let outbox = Outbox::open(&folder.path().join("outbox")).unwrap();
    outbox.send(&mail(1)).unwrap();
    let file = outbox.path_of(&mail(1));
    let mode = |path: &std::path::Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
}
