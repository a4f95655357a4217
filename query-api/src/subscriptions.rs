//! Subscriptions: who follows what. The address goes into the accounts, everything else into the directory.

use andon_domain::{DirectoryChange, DowntimeClass, SubscriberId, Subscription, SubscriptionId};
use andon_store::{NewSubscriber, Subscriber, SubscriberInserted};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::Api;
use crate::address;
use crate::body::{self, Body};
use crate::directory::settled;
use crate::downtime::uuid_of;
use crate::params::Params;
use crate::problem::{Answer, Problem, shown};
use crate::respond::{Page, json};
use crate::settings::check_node;
use crate::time::{Instant, parse_duration, show_duration};

#[derive(Debug, Serialize)]
struct SubscriptionView {
    id: String,
    subscriber_id: String,
    node: String,
    notify_after: String,
    class: Option<&'static str>,
    locale: Option<String>,
    zone: Option<String>,
    created_at: Instant,
}

impl SubscriptionView {
    fn new(subscription: &Subscription, subscriber: Option<&Subscriber>) -> Self {
        Self {
            id: subscription.id.to_string(),
            subscriber_id: subscription.subscriber_id.to_string(),
            node: subscription.node.clone(),
            notify_after: show_duration(subscription.notify_after_ms),
            class: subscription.class.map(|class| class.name()),
            locale: subscriber.map(|subscriber| subscriber.locale.clone()),
            zone: subscriber.map(|subscriber| subscriber.zone.clone()),
            created_at: Instant(subscription.created_at),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateBody {
    email: String,
    node: String,
    notify_after: Option<String>,
    class: Option<String>,
    locale: Option<String>,
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditBody {
    notify_after: Option<String>,
    /// An absent class leaves it, null takes every class.
    #[serde(default, deserialize_with = "present")]
    class: Option<Option<String>>,
    locale: Option<String>,
    zone: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    email: String,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<String>>, D::Error> {
    Option::<String>::deserialize(deserializer).map(Some)
}

fn notify_after(text: Option<&str>) -> Result<i64, Problem> {
    text.map_or(Ok(0), parse_duration).map_err(|why| Problem::field("notify_after", why))
}

fn class(name: Option<&str>) -> Result<Option<DowntimeClass>, Problem> {
    let known = |name| {
        DowntimeClass::from_name(name).ok_or_else(|| Problem::field("class", "is `planned` or `unplanned`"))
    };
    name.map(known).transpose()
}

fn locale(name: Option<&str>) -> Result<&str, Problem> {
    match name.unwrap_or("en") {
        known @ ("en" | "es") => Ok(known),
        _ => Err(Problem::field("locale", "is `en` or `es`")),
    }
}

fn zone(name: Option<&str>) -> Result<&str, Problem> {
    let name = name.unwrap_or("UTC");
    match jiff::tz::TimeZone::get(name) {
        Ok(_) => Ok(name),
        Err(_) => Err(Problem::field("zone", "is no IANA time zone such as `Europe/Madrid`")),
    }
}

/// `POST /v1/subscriptions`: the address first, then the directory; the answer waits until the views show it.
pub(crate) async fn create(State(api): State<Api>, params: Params, headers: HeaderMap, body: Body) -> Answer {
    params.only(&[])?;
    let body: CreateBody = body::json(&headers, body)?;
    check_node(&body.node).map_err(|why| Problem::field("node", why))?;
    let address = address::check(&body.email)?;
    let now = (api.clock)();
    let new = NewSubscriber {
        subscriber: Subscriber {
            id: SubscriberId(Uuid::new_v4()),
            address: address.text,
            locale: locale(body.locale.as_deref())?.to_owned(),
            zone: zone(body.zone.as_deref())?.to_owned(),
            created_at: now,
        },
        address_key: address.key,
    };
    let (notify_after_ms, class) =
        (notify_after(body.notify_after.as_deref())?, class(body.class.as_deref())?);
    let subscriber = match api.accounts.insert_subscriber(&new).await? {
        SubscriberInserted::New => new.subscriber,
        SubscriberInserted::Existing(known) => {
            if api.views.subscription(SubscriptionId::derive(known.id, &body.node)).await?.is_some() {
                return Err(Problem::conflict(format!(
                    "this address already follows `{}`",
                    shown(&body.node)
                )));
            }
            change_subscriber(&api, known, body.locale.as_deref(), body.zone.as_deref()).await?
        }
    };
    let subscription = Subscription {
        id: SubscriptionId::derive(subscriber.id, &body.node),
        subscriber_id: subscriber.id,
        node: body.node,
        notify_after_ms,
        class,
        created_at: now,
    };
    let is_settled = api.change_directory(&[DirectoryChange::Subscription(subscription.clone())]).await?;
    let view = SubscriptionView::new(&subscription, Some(&subscriber));
    let mut response = json(settled(is_settled, StatusCode::CREATED), &view)?;
    if let Ok(location) = HeaderValue::from_str(&format!("/v1/subscriptions/{}", subscription.id)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// Gives a subscriber another language or zone, where the request names one.
async fn change_subscriber(
    api: &Api,
    mut subscriber: Subscriber,
    new_locale: Option<&str>,
    new_zone: Option<&str>,
) -> Result<Subscriber, Problem> {
    if new_locale.is_some() {
        subscriber.locale = locale(new_locale)?.to_owned();
    }
    if new_zone.is_some() {
        subscriber.zone = zone(new_zone)?.to_owned();
    }
    if new_locale.is_some() || new_zone.is_some() {
        api.accounts.update_subscriber(subscriber.id, &subscriber.locale, &subscriber.zone).await?;
    }
    Ok(subscriber)
}

async fn find(api: &Api, path: Result<Path<String>, PathRejection>) -> Result<Subscription, Problem> {
    let id = uuid_of(path)?;
    let subscription = api.views.subscription(SubscriptionId(id)).await?;
    subscription.ok_or_else(|| Problem::not_found(format!("there is no subscription `{id}`")))
}

/// `GET /v1/subscriptions/{id}`
pub(crate) async fn show(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let subscription = find(&api, path).await?;
    let subscriber = api.accounts.subscriber(subscription.subscriber_id).await?;
    json(StatusCode::OK, &SubscriptionView::new(&subscription, subscriber.as_ref()))
}

/// `PATCH /v1/subscriptions/{id}`
pub(crate) async fn edit(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
    headers: HeaderMap,
    body: Body,
) -> Answer {
    params.only(&[])?;
    let mut subscription = find(&api, path).await?;
    let body: EditBody = body::json(&headers, body)?;
    if body.notify_after.is_some() {
        subscription.notify_after_ms = notify_after(body.notify_after.as_deref())?;
    }
    if let Some(name) = &body.class {
        subscription.class = class(name.as_deref())?;
    }
    let subscriber = match api.accounts.subscriber(subscription.subscriber_id).await? {
        Some(known) => {
            Some(change_subscriber(&api, known, body.locale.as_deref(), body.zone.as_deref()).await?)
        }
        None => None,
    };
    let is_settled = api.change_directory(&[DirectoryChange::Subscription(subscription.clone())]).await?;
    json(settled(is_settled, StatusCode::OK), &SubscriptionView::new(&subscription, subscriber.as_ref()))
}

/// `DELETE /v1/subscriptions/{id}`
pub(crate) async fn end(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let subscription = find(&api, path).await?;
    let is_settled = api.change_directory(&[DirectoryChange::SubscriptionRemoved(subscription.id)]).await?;
    Ok(settled(is_settled, StatusCode::NO_CONTENT).into_response())
}

/// `POST /v1/subscriptions/search`: what an address follows. The address stands in the body, so that no log of URLs
/// has it.
pub(crate) async fn search(State(api): State<Api>, params: Params, headers: HeaderMap, body: Body) -> Answer {
    params.only(&[])?;
    let body: SearchBody = body::json(&headers, body)?;
    let address = address::check(&body.email)?;
    let as_of = api.as_of().await?;
    let items = match api.accounts.subscriber_by_address(&address.key).await? {
        None => Vec::new(),
        Some(subscriber) => {
            let subscriptions = api.views.subscriptions_of(subscriber.id).await?;
            subscriptions.iter().map(|one| SubscriptionView::new(one, Some(&subscriber))).collect()
        }
    };
    json(StatusCode::OK, &Page { items, next_cursor: None, as_of })
}

/// `DELETE /v1/subscribers/{id}`: erasure. The outbox comes first, so that whoever is told to try again finds the
/// subscriber still there, and once more at the end: a mail may have been written in between.
pub(crate) async fn erase(
    State(api): State<Api>,
    path: Result<Path<String>, PathRejection>,
    params: Params,
) -> Answer {
    params.only(&[])?;
    let id = SubscriberId(uuid_of(path)?);
    erase_outside(&api, id).await?;
    let subscriptions = api.views.subscriptions_of(id).await?;
    let changes: Vec<DirectoryChange> =
        subscriptions.iter().map(|one| DirectoryChange::SubscriptionRemoved(one.id)).collect();
    if !changes.is_empty() {
        api.change_directory(&changes).await?;
    }
    let was_there = api.accounts.erase_subscriber(id, (api.clock)()).await?;
    erase_outside(&api, id).await?;
    if was_there || !changes.is_empty() {
        Ok(StatusCode::NO_CONTENT.into_response())
    } else {
        Err(Problem::not_found(format!("there is no subscriber `{id}`")))
    }
}

/// Deletes what lies about a subscriber outside the accounts.
async fn erase_outside(api: &Api, id: SubscriberId) -> Result<(), Problem> {
    let erase = api.erase.clone();
    match tokio::task::spawn_blocking(move || erase(id)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => {
            tracing::error!(subscriber.id = %id, "could not delete what lies about subscriber {id}: {error}");
            Err(Problem::unavailable())
        }
        Err(error) => {
            tracing::error!("an erasure ended by a panic: {error}");
            Err(Problem::internal())
        }
    }
}
