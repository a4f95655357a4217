//! Sends a few messages, over as many lanes as the transport has. Nothing begins to leave once the way is broken, the
//! time is up or the program stops; what began is waited for, never cut off.

use std::iter;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;

use crate::{Mail, SendError, Transport};

/// What became of a message, by its index.
pub(crate) type Outcome = (usize, Result<(), SendError>);

/// Sends, and tells `ended` what became of each message that was begun: over several lanes as soon as it is known,
/// since what is known and not written down is sent again after a crash; over a single one, all at once.
pub(crate) fn send_all(
    transport: &dyn Transport,
    mails: &[Mail],
    may_begin: &(dyn Fn() -> bool + Sync),
    ended: &mut dyn FnMut(Vec<Outcome>),
) {
    let lanes = transport.lanes().get().min(mails.len());
    let next = AtomicUsize::new(0);
    let is_broken = AtomicBool::new(false);
    let (tell, told) = mpsc::channel();
    let lane = |tell: mpsc::Sender<Outcome>| {
        while !is_broken.load(Ordering::Relaxed) && may_begin() {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(mail) = mails.get(index) else { return };
            let outcome = transport.send(mail);
            if matches!(outcome, Err(SendError::Infrastructure(_))) {
                is_broken.store(true, Ordering::Relaxed);
            }
            tell.send((index, outcome)).expect("whoever listens does so until the last lane has ended");
        }
    };
    if lanes <= 1 {
        lane(tell);
        ended(told.iter().collect());
        return;
    }
    std::thread::scope(|scope| {
        for _ in 0..lanes {
            let tell = tell.clone();
            scope.spawn(|| lane(tell));
        }
        drop(tell);
        while let Ok(first) = told.recv() {
            ended(iter::once(first).chain(told.try_iter()).collect());
        }
    });
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;
    use std::sync::{Barrier, Condvar, Mutex};

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

    /// What became of each message, in order; none for one that was not begun.
    fn outcomes(
        transport: &dyn Transport,
        mails: &[Mail],
        may_begin: &(dyn Fn() -> bool + Sync),
    ) -> Vec<Option<Result<(), SendError>>> {
        let mut outcomes: Vec<_> = mails.iter().map(|_| None).collect();
        send_all(transport, mails, may_begin, &mut |batch| {
            for (index, outcome) in batch {
                assert!(outcomes[index].replace(outcome).is_none(), "each message has one outcome");
            }
        });
        outcomes
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
        let outcomes = outcomes(&Meeting(Barrier::new(4)), &mails(8), &|| true);
        assert_eq!(outcomes.iter().filter(|outcome| matches!(outcome, Some(Ok(())))).count(), 8);
    }

    /// Lets the first message end once the others are known to have ended.
    struct Last {
        known: Mutex<usize>,
        changed: Condvar,
    }

    impl Transport for Last {
        fn send(&self, mail: &Mail) -> Result<(), SendError> {
            if mail.notification_id.0.is_nil() {
                let known = self.known.lock().unwrap();
                drop(self.changed.wait_while(known, |known| *known < 3).unwrap());
            }
            Ok(())
        }

        fn lanes(&self) -> NonZeroUsize {
            NonZeroUsize::new(2).unwrap()
        }
    }

    #[test]
    fn what_has_ended_is_known_while_others_are_on_their_way() {
        let last = Last { known: Mutex::new(0), changed: Condvar::new() };
        let mut order = Vec::new();
        send_all(&last, &mails(4), &|| true, &mut |batch| {
            order.extend(batch.iter().map(|(index, _)| *index));
            *last.known.lock().unwrap() += batch.len();
            last.changed.notify_all();
        });
        assert_eq!(order, [1, 2, 3, 0]);
    }

    #[test]
    fn nothing_begins_after_the_way_broke() {
        let outcomes = outcomes(&BrokenAt(2), &mails(5), &|| true);
        let begun: Vec<Option<bool>> = outcomes.iter().map(|o| o.as_ref().map(Result::is_ok)).collect();
        assert_eq!(begun, [Some(true), Some(true), Some(false), None, None]);
    }

    #[test]
    fn nothing_begins_when_the_time_is_up() {
        let left = AtomicUsize::new(2);
        let may_begin =
            || left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
        let outcomes = outcomes(&BrokenAt(9), &mails(5), &may_begin);
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_some()).count(), 2);
    }
}
