//! Subscriptions: who follows what. The address goes into the accounts, everything else into the directory.

use andon_domain::{DirectoryChange, DowntimeClass, SubscriberId, Subscription, SubscriptionId};
use andon_store::{NewSubscriber, Subscriber, SubscriberInserted};
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::IntoResponse;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Api;
use crate::address;
use crate::body::{self, Body};
use crate::directory::settled;
use crate::downtime::uuid_of;
use crate::openapi::words;
use crate::params::Params;
use crate::problem::{Answer, Problem, shown};
use crate::respond::{Page, json};
use crate::settings::check_node;
use crate::time::{Instant, parse_duration, show_duration};

#[derive(Debug, Serialize, ToSchema)]
struct SubscriptionView {
    /// Its id: a function of subscriber and node.
    #[schema(value_type = words::Id)]
    id: String,
    /// Who, without the address.
    #[schema(value_type = words::Id)]
    subscriber_id: String,
    /// What they follow.
    #[schema(value_type = words::Node)]
    node: String,
    /// They are told of stops that last at least this long.
    #[schema(value_type = words::Duration)]
    notify_after: String,
    /// Only stops of this class; null: every class.
    #[schema(value_type = Option<words::ClassOfDowntime>)]
    class: Option<&'static str>,
    /// Language of the mails; null if the address is gone.
    locale: Option<String>,
    /// Time zone of the mails; null if the address is gone.
    zone: Option<String>,
    /// When it was made.
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CreateBody {
    /// The address.
    #[schema(max_length = 254, format = "email")]
    email: String,
    /// A line, or a node of the tree: all lines at or under it.
    #[schema(value_type = words::Node)]
    node: String,
    /// Tell only of stops that last at least this long. Absent: at once.
    #[schema(value_type = Option<words::Duration>)]
    notify_after: Option<String>,
    /// Only stops of this class. Absent: every class.
    #[schema(value_type = Option<words::ClassOfDowntime>)]
    class: Option<String>,
    /// Language of the mails: `en` (the default) or `es`.
    locale: Option<String>,
    /// IANA time zone of the mails. Absent: `UTC`.
    #[schema(max_length = 64)]
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

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SearchBody {
    /// The address.
    #[schema(max_length = 254, format = "email")]
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
#[utoipa::path(
    post, path = "/v1/subscriptions", operation_id = "create_subscription", tag = "subscriptions",
    summary = "Have somebody told of stops",
    description = "The address is kept apart from everything else and stands in no answer.",
    request_body(content = CreateBody, description = "Who, and of what."),
    responses(
        (status = 201, description = "It holds from now on.", body = SubscriptionView, headers(("location" = String, description = "Path of the subscription."))),
        (status = 202, description = "It is stored for good and not yet to be seen in answers.", body = SubscriptionView),
        (status = 409, description = "This address follows this node already."),
    )
)]
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
#[utoipa::path(
    get, path = "/v1/subscriptions/{id}", operation_id = "show_subscription", tag = "subscriptions",
    summary = "One subscription",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 200, description = "The subscription.", body = SubscriptionView),
        (status = 404, description = "There is no such subscription."),
    )
)]
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
#[utoipa::path(
    patch, path = "/v1/subscriptions/{id}", operation_id = "edit_subscription", tag = "subscriptions",
    summary = "Change a subscription",
    description = "Language and zone are the subscriber's: they change for all of their subscriptions.",
    params(("id" = String, Path)),
    request_body(content = words::SubscriptionEdit, description = "What is to change."),
    responses(
        (status = 200, description = "It holds from now on.", body = SubscriptionView),
        (status = 202, description = "It is stored for good and not yet to be seen in answers.", body = SubscriptionView),
        (status = 404, description = "There is no such subscription."),
    )
)]
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
#[utoipa::path(
    delete, path = "/v1/subscriptions/{id}", operation_id = "end_subscription", tag = "subscriptions",
    summary = "End a subscription",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "It is gone."),
        (status = 202, description = "It is stored for good and not yet to be seen in answers."),
        (status = 404, description = "There is no such subscription."),
    )
)]
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
#[utoipa::path(
    post, path = "/v1/subscriptions/search", operation_id = "search_subscriptions", tag = "subscriptions",
    summary = "What an address follows",
    description = "",
    request_body(content = SearchBody, description = "The address. It stands in the body, so that no log of URLs has it."),
    responses(
        (status = 200, description = "All of its subscriptions, ordered by node.", body = Page<SubscriptionView>),
    )
)]
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
#[utoipa::path(
    delete, path = "/v1/subscribers/{id}", operation_id = "erase_subscriber", tag = "subscriptions",
    summary = "Erase a person",
    description = "",
    params(("id" = String, Path)),
    responses(
        (status = 204, description = "The address is gone from every file of Andon, its mails and subscriptions too."),
        (status = 404, description = "There is no such subscriber."),
    )
)]
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
