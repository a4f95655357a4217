//! A transport over a real outbox that answers as a test says, and remembers what it was given.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use andon_domain::{CommandKind, NotificationId, SubscriberId};
use andon_mailer::{Mail, Outbox, SendError, Transport};

/// Decides what happens to a message before it gets to the outbox; `Ok` lets it through.
type Answers = Box<dyn FnMut(&Mail) -> Result<(), SendError> + Send>;

#[derive(Clone)]
pub(crate) struct Scripted {
    outbox: Outbox,
    answers: Arc<Mutex<Answers>>,
    accepted: Arc<Mutex<Vec<Mail>>>,
    tried: Arc<Mutex<Vec<CommandKind>>>,
    /// How many of the next erasures fail.
    failing_erasures: Arc<Mutex<usize>>,
}

impl Scripted {
    pub(crate) fn new(outbox: Outbox) -> Self {
        Self {
            outbox,
            answers: Arc::new(Mutex::new(Box::new(|_| Ok(())))),
            accepted: Arc::default(),
            tried: Arc::default(),
            failing_erasures: Arc::default(),
        }
    }

    pub(crate) fn answer(&self, answers: impl FnMut(&Mail) -> Result<(), SendError> + Send + 'static) {
        *self.answers.lock().unwrap() = Box::new(answers);
    }

    /// Lets the next erasures fail, as on a disk that only reads.
    pub(crate) fn fail_erasures(&self, count: usize) {
        *self.failing_erasures.lock().unwrap() = count;
    }

    /// What was accepted, in order, repeats included.
    pub(crate) fn accepted(&self) -> Vec<Mail> {
        self.accepted.lock().unwrap().clone()
    }

    pub(crate) fn accepted_kinds(&self) -> Vec<CommandKind> {
        self.accepted().iter().map(|mail| mail.kind).collect()
    }

    /// The kind of each message of which a byte may have left, in order.
    pub(crate) fn tried_kinds(&self) -> Vec<CommandKind> {
        self.tried.lock().unwrap().clone()
    }

    /// A repeat must be the same message.
    pub(crate) fn assert_repeats_are_the_same_message(&self) {
        let mut contents: BTreeMap<NotificationId, Mail> = BTreeMap::new();
        for mail in self.accepted() {
            let first = contents.entry(mail.notification_id).or_insert_with(|| mail.clone());
            assert!(*first == mail, "{:?} differs from its first sending", mail.notification_id);
        }
    }
}

impl Transport for Scripted {
    fn send(&self, mail: &Mail) -> Result<(), SendError> {
        self.tried.lock().unwrap().push(mail.kind);
        (self.answers.lock().unwrap())(mail)?;
        self.outbox.send(mail)?;
        self.accepted.lock().unwrap().push(mail.clone());
        Ok(())
    }

    fn forget(&self, subscriber_id: SubscriberId) -> Result<(), SendError> {
        let mut failing = self.failing_erasures.lock().unwrap();
        if *failing > 0 {
            *failing -= 1;
            return Err(SendError::Infrastructure("the file system only reads".into()));
        }
        self.outbox.forget(subscriber_id)
    }
}
