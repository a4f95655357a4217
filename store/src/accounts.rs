//! The port of the accounts: addresses, the delivery ledger and the mailer's positions. Primary data: conditional
//! writes, never rebuilt. The only place that knows an address.

use andon_domain::{CommandKind, IncidentId, LineId, Millis, NotificationId, SubscriberId};
use async_trait::async_trait;

use crate::{Error, Position, Token, TokenInserted, TokenRevoked};

/// A person, as the accounts know them.
#[derive(Clone, PartialEq, Eq)]
pub struct Subscriber {
    /// Identity: random, all that the log knows.
    pub id: SubscriberId,
    /// The address, as given.
    pub address: String,
    /// Language of the mails, as in `es`.
    pub locale: String,
    /// IANA time zone of the mails, as in `Europe/Madrid`.
    pub zone: String,
    /// When it was made, or last asked for again ([`Accounts::insert_subscriber`]): a sweep leaves it alone for a while.
    pub created_at: Millis,
}

impl std::fmt::Debug for Subscriber {
    /// Shows everything but the address, so that no log line can hold one.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subscriber")
            .field("id", &self.id)
            .field("locale", &self.locale)
            .finish_non_exhaustive()
    }
}

/// An address to be stored, unless it is there already.
#[derive(Clone, PartialEq, Eq)]
pub struct NewSubscriber {
    /// The row.
    pub subscriber: Subscriber,
    /// The address in the form that makes it unique: trimmed, NFC, domain in lower case.
    pub address_key: String,
}

/// What became of a [`NewSubscriber`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubscriberInserted {
    /// It is new.
    New,
    /// The address belongs to this one already; only its `created_at` moved on.
    Existing(Subscriber),
}

/// The state of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeliveryState {
    /// To be sent, once due.
    Queued,
    /// Claimed by a sender, under a lease.
    Sending,
    /// Accepted by the transport. Final.
    Sent,
    /// The subscriber left: nothing is sent. Final.
    Unsubscribed,
    /// The subscriber was erased. Final.
    Erased,
    /// The transport refused it for good. Final.
    Refused,
    /// Tried for too long. Final.
    GaveUp,
    /// A close whose opening surely never left, or that opening. Final.
    Dropped,
    /// Decided so long ago that telling would mislead, opening and close alike. Final.
    Expired,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 9] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Unsubscribed,
        Self::Erased,
        Self::Refused,
        Self::GaveUp,
        Self::Dropped,
        Self::Expired,
    ];

    /// The name in the ledger, the API and metrics.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Unsubscribed => "unsubscribed",
            Self::Erased => "erased",
            Self::Refused => "refused",
            Self::GaveUp => "gave_up",
            Self::Dropped => "dropped",
            Self::Expired => "expired",
        }
    }

    /// The state of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether nothing more happens to a delivery in this state.
    pub const fn is_final(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}

/// A delivery to be entered into the ledger, unless its id is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewDelivery {
    /// Identity.
    pub id: NotificationId,
    /// The incident it is about.
    pub incident_id: IncidentId,
    /// Whom it is for.
    pub subscriber_id: SubscriberId,
    /// The line it is about.
    pub line_id: LineId,
    /// What it says.
    pub kind: CommandKind,
    /// The command, encoded.
    pub command: Vec<u8>,
    /// When the core decided it (log time).
    pub created_at: Millis,
    /// Its first state: `Queued`, or a final one that sends nothing.
    pub state: DeliveryState,
    /// When to send it; in a final state, when that was decided.
    pub due_at: Millis,
    /// The rule that decided state and due time, for whoever asks why.
    pub rule: String,
}

/// A delivery as the ledger holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// Identity.
    pub id: NotificationId,
    /// The incident.
    pub incident_id: IncidentId,
    /// Whom for.
    pub subscriber_id: SubscriberId,
    /// What it says.
    pub kind: CommandKind,
    /// The command, encoded.
    pub command: Vec<u8>,
    /// When the core decided it.
    pub created_at: Millis,
    /// Its state.
    pub state: DeliveryState,
    /// When to try (again).
    pub due_at: Millis,
    /// The rule that decided the state.
    pub rule: String,
    /// How often a sender began, claims that were settled as no attempt left out.
    pub attempts: u32,
    /// Whether some attempt may have reached the recipient: set before the first byte leaves, taken back only by an
    /// answer that it surely did not.
    pub may_have_left: bool,
    /// The last SMTP reply code, if there was one.
    pub smtp_code: Option<u16>,
    /// When it reached its final state.
    pub settled_at: Option<Millis>,
    /// What the message says beyond its command, as [`Accounts::leaving`] stored it; none before its first attempt.
    pub facts: Option<Vec<u8>>,
}

/// A claimed delivery that is about to leave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The delivery.
    pub id: NotificationId,
    /// What its message says beyond its command, encoded: read once, so that a retry is the same message. Holds no
    /// address.
    pub facts: Vec<u8>,
}

/// Who claims, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// A token of this sender process, unique to it.
    pub owner: String,
    /// The wall time now.
    pub now: Millis,
    /// Until when the claim holds; then another sender may take over.
    pub lease_until: Millis,
    /// At most so many.
    pub limit: usize,
}

/// What became of a claimed delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settlement {
    /// The delivery.
    pub id: NotificationId,
    /// The claimant; a settlement by another one changes nothing.
    pub owner: String,
    /// Its new state: final, or `Queued` to be tried again. `Sending` settles nothing.
    pub state: DeliveryState,
    /// When to try again; of no meaning for a final state.
    pub due_at: Millis,
    /// The rule that decided it.
    pub rule: String,
    /// See [`Delivery::may_have_left`].
    pub may_have_left: bool,
    /// The SMTP reply code, if there was one.
    pub smtp_code: Option<u16>,
    /// Whether the claim counts as an attempt: not if it only waited, or if nothing could be tried.
    pub is_attempt: bool,
    /// The wall time now.
    pub now: Millis,
}

/// Which deliveries about a line: those decided in `[from, to)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineDeliveryQuery {
    /// The line.
    pub line_id: LineId,
    /// Start of the window.
    pub from: Millis,
    /// End of the window, excluded.
    pub to: Millis,
    /// Go on behind the delivery of this creation and id.
    pub after: Option<(Millis, NotificationId)>,
    /// At most so many.
    pub limit: usize,
}

/// How full the ledger is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeliveryCounts {
    /// Deliveries not in a final state.
    pub unsettled: u64,
    /// The smallest `due_at` among them.
    pub oldest_due_at: Option<Millis>,
}

/// The accounts.
#[async_trait]
pub trait Accounts: Send + Sync {
    /// Stores an address, unless it belongs to somebody already.
    async fn insert_subscriber(&self, new: &NewSubscriber) -> Result<SubscriberInserted, Error>;

    /// A subscriber by id.
    async fn subscriber(&self, id: SubscriberId) -> Result<Option<Subscriber>, Error>;

    /// A subscriber by the unique form of the address.
    async fn subscriber_by_address(&self, address_key: &str) -> Result<Option<Subscriber>, Error>;

    /// Changes language and zone. Whether the subscriber exists.
    async fn update_subscriber(&self, id: SubscriberId, locale: &str, zone: &str) -> Result<bool, Error>;

    /// Deletes an address for good, journal included, and ends queued deliveries as `Erased`. Whether it was there.
    ///
    /// # Errors
    /// The address may still be in the journal: call again, until it succeeds.
    async fn erase_subscriber(&self, id: SubscriberId, now: Millis) -> Result<bool, Error>;

    /// Subscribers made before an instant, ordered by id, behind `after`: for the sweep of addresses without a
    /// subscription.
    async fn subscribers_before(
        &self,
        created_before: Millis,
        after: Option<SubscriberId>,
        limit: usize,
    ) -> Result<Vec<SubscriberId>, Error>;

    /// Where the mailer goes on reading. Empty: it starts at the end of the log.
    async fn positions(&self) -> Result<Vec<Position>, Error>;

    /// Enters deliveries whose id is new, and moves the positions, as one.
    async fn accept(&self, deliveries: &[NewDelivery], positions: &[Position]) -> Result<(), Error>;

    /// Claims what is due, queued or with an expired lease, ordered by (due time, creation, opening before close).
    async fn claim(&self, claim: &Claim) -> Result<Vec<Delivery>, Error>;

    /// Ends the leases of all claims, so that they can be taken over at once; how many. Only for whoever knows that no
    /// other sender lives, as the owner of an embedded andon's folder does when it starts.
    async fn end_leases(&self, now: Millis) -> Result<usize, Error>;

    /// Marks claimed deliveries as perhaps having left, before the first byte does, and keeps their facts, unless there
    /// are some from an earlier attempt. Those still ours are returned.
    async fn leaving(&self, owner: &str, leaving: &[Leaving]) -> Result<Vec<NotificationId>, Error>;

    /// Records what became of claimed deliveries; how many were still the claimant's.
    async fn settle(&self, settlements: &[Settlement]) -> Result<usize, Error>;

    /// One delivery.
    async fn delivery(&self, id: NotificationId) -> Result<Option<Delivery>, Error>;

    /// All deliveries of an incident, ordered by (subscriber, creation), behind `after`, at most `limit`.
    async fn deliveries_of(
        &self,
        incident: IncidentId,
        after: Option<(SubscriberId, NotificationId)>,
        limit: usize,
    ) -> Result<Vec<Delivery>, Error>;

    /// Deliveries about a line, newest first by (creation, id). Those entered by a program that kept no line with
    /// them are found by their incident alone.
    async fn deliveries_of_line(&self, query: &LineDeliveryQuery) -> Result<Vec<Delivery>, Error>;

    /// How much waits.
    async fn counts(&self) -> Result<DeliveryCounts, Error>;

    /// The smallest `due_at` or lease end to wait for, if any delivery waits.
    async fn next_due_at(&self) -> Result<Option<Millis>, Error>;

    /// Deletes deliveries that were settled before an instant, at most `limit`; how many.
    async fn forget_settled(&self, before: Millis, limit: usize) -> Result<usize, Error>;

    /// The secret of that name: 32 random bytes, made when it is first asked for, the same for whoever asks. It must
    /// never be logged.
    async fn secret(&self, name: &str) -> Result<[u8; 32], Error>;

    /// Stores a token, unless its id or its name is taken.
    ///
    /// # Errors
    /// [`Error::TooMany`] if there are [`crate::TOKENS_MAX`] already and none of them has ended by `now`.
    async fn insert_token(&self, new: &Token, now: Millis) -> Result<TokenInserted, Error>;

    /// Every token, those that ended among them, ordered by (creation, id).
    async fn tokens(&self) -> Result<Vec<Token>, Error>;

    /// Ends a token, by its id or its name. It stays in [`Accounts::tokens`].
    async fn revoke_token(&self, name_or_id: &str, now: Millis) -> Result<TokenRevoked, Error>;
}
