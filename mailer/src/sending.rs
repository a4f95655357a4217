//! Sends a few messages, over as many lanes as the transport has. Nothing begins to leave once the way is broken, the
//! time is up or the program stops; what began is waited for, never cut off.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crate::{Mail, SendError, Transport};

/// What became of each message, in order; none for one that was not begun.
pub(crate) fn send_all(
    transport: &dyn Transport,
    mails: &[Mail],
    may_begin: &(dyn Fn() -> bool + Sync),
) -> Vec<Option<Result<(), SendError>>> {
    let lanes = transport.lanes().get().min(mails.len());
    let outcomes: Vec<Mutex<Option<Result<(), SendError>>>> =
        mails.iter().map(|_| Mutex::new(None)).collect();
    let next = AtomicUsize::new(0);
    let is_broken = AtomicBool::new(false);
    let lane = || {
        while !is_broken.load(Ordering::Relaxed) && may_begin() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(mail) = mails.get(index) else { return };
            let outcome = transport.send(mail);
            if matches!(outcome, Err(SendError::Infrastructure(_))) {
                is_broken.store(true, Ordering::Relaxed);
            }
            *outcomes[index].lock().expect("no lane panics while it holds an outcome") = Some(outcome);
        }
    };
    if lanes <= 1 {
        lane();
    } else {
        std::thread::scope(|scope| {
            for _ in 0..lanes {
                scope.spawn(lane);
            }
        });
    }
    outcomes
        .into_iter()
        .map(|outcome| outcome.into_inner().expect("no lane panics while it holds an outcome"))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::Barrier;

    use andon_domain::{CommandKind, NotificationId, SubscriberId};
    use lettre::address::Envelope;
    use uuid::Uuid;

    use super::*;

    fn mails(count: u128) -> Vec<Mail> {
        let address = || "a@plant.example".parse::<lettre::Address>().unwrap();
        (0..count)
            .map(|id| Mail {
                notification_id: NotificationId(Uuid::from_u128(id)),
                subscriber_id: SubscriberId(Uuid::from_u128(id)),
                kind: CommandKind::Down,
                created_at: 0,
                envelope: Envelope::new(Some(address()), vec![address()]).unwrap(),
                content: Vec::new(),
            })
            .collect()
    }

    /// Answers only once four messages are on their way together.
    struct Meeting(Barrier);

    impl Transport for Meeting {
        fn send(&self, _: &Mail) -> Result<(), SendError> {
            self.0.wait();
            Ok(())
        }

        fn lanes(&self) -> NonZeroUsize {
            NonZeroUsize::new(4).unwrap()
        }
    }

    /// Is broken from one message on.
    struct BrokenAt(u128);

    impl Transport for BrokenAt {
        fn send(&self, mail: &Mail) -> Result<(), SendError> {
            if mail.notification_id.0.as_u128() >= self.0 {
                return Err(SendError::Infrastructure("no connection".into()));
            }
            Ok(())
        }
    }

    #[test]
    fn as_many_messages_leave_at_once_as_the_transport_has_lanes() {
        let outcomes = send_all(&Meeting(Barrier::new(4)), &mails(8), &|| true);
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Some(Ok(())))).count(), 8);
    }

    #[test]
    fn nothing_begins_after_the_way_broke() {
        let outcomes = send_all(&BrokenAt(2), &mails(5), &|| true);
        let begun: Vec<Option<bool>> = outcomes.iter().map(|o| o.as_ref().map(Result::is_ok)).collect();
        assert_eq!(begun, [Some(true), Some(true), Some(false), None, None]);
    }

    #[test]
    fn nothing_begins_when_the_time_is_up() {
        let left = AtomicUsize::new(2);
        let may_begin =
            || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        let outcomes = send_all(&BrokenAt(9), &mails(5), &may_begin);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_some()).count(), 2);
    }
}
