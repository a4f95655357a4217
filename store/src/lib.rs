//! The stores of Andon: [`Views`], which are a projection of the log and may be deleted at any time, and
//! [`Accounts`], which are primary data. Ports here, adapters in modules of their own; neither leaks its types.

mod accounts;
mod error;
mod links;
mod tokens;
mod views;

pub mod sqlite;

pub use accounts::{
    Accounts, Claim, Delivery, DeliveryCounts, DeliveryState, Leaving, LineDeliveryQuery, NewDelivery,
    NewSubscriber, Settlement, Subscriber, SubscriberInserted,
};
pub use error::{Disposition, Error};
pub use links::{ForgedLink, LinkKey, UnsubscribeLink};
pub use tokens::{TOKENS_MAX, Token, TokenInserted, TokenRevoked, TokenScope};
pub use views::{
    DeadLetterPage, DeadLetterQuery, DeadLetterRow, DeadLetterWrite, IntervalFound, IntervalQuery,
    IntervalWrite, LateStatus, LineWrite, Position, Resolution, Scope, StoredInterval, StoredLine, ViewBatch,
    Views,
};
