//! Reads a [`History`] from the views. It must never make a message late: the views have a moment to catch up with the
//! command, then the message goes without them; and it must never contradict the command.

use std::time::{Duration, Instant};

use andon_domain::{Command, CommandKind, Interval, IntervalId, Kind, Millis, Segment};
use andon_store::{Error, IntervalFound, IntervalQuery, Scope, Views};

use super::{History, Stretch, Today};
use crate::cleaned::cleaned;
use crate::local_time::Local;

/// The most stops of a day that are counted.
const STOPS_MAX: usize = 1_000;

/// How often views that are behind are asked again.
const ASK_AGAIN: Duration = Duration::from_millis(10);

/// How long the views may hold up a portion of messages, all of them together.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    ends_at: Instant,
}

impl Patience {
    /// So long from now.
    pub(crate) fn of_ms(ms: u64) -> Self {
        Self { ends_at: Instant::now() + Duration::from_millis(ms) }
    }
}

/// How a reading ended.
#[derive(Debug)]
pub(crate) enum Reading {
    /// The views know the stop as the command tells it.
    Known(History),
    /// The command tells of no stop.
    Unneeded,
    /// They do not know it yet, or not any more, or they did not answer in time.
    Unknown,
    /// They failed.
    Failed(Error),
}

/// Reads what the views know about the stop of a command. At the end of the patience each stop is still asked for once.
pub(crate) async fn read(views: &dyn Views, command: &Command, local: &Local, patience: Patience) -> Reading {
    let Some(told_at) = told_at(command) else { return Reading::Unneeded };
    match tokio::time::timeout_at(patience.ends_at.into(), known(views, command, told_at, local)).await {
        Ok(Ok(Some(history))) => Reading::Known(history),
        Ok(Ok(None)) | Err(_) => Reading::Unknown,
        Ok(Err(error)) => Reading::Failed(error),
    }
}

async fn known(
    views: &dyn Views,
    command: &Command,
    told_at: Millis,
    local: &Local,
) -> Result<Option<History>, Error> {
    let id = IntervalId::derive(&command.line_id, Kind::Down, command.started_at);
    let stop = loop {
        match views.interval(id).await? {
            IntervalFound::Current(found) => match agreement(command, &found.interval) {
                Agreement::Same => break found.interval,
                Agreement::Behind => {}
                Agreement::Other => return Ok(None),
            },
            IntervalFound::Never => {}
            IntervalFound::Retracted => return Ok(None),
        }
        tokio::time::sleep(ASK_AGAIN).await;
    };
    let history = History { today: today(views, command, told_at, local).await?, ..History::default() };
    Ok(Some(history.with_course(course(&stop, command, told_at))))
}

/// Up to when the command tells; none for one that tells of no stop.
fn told_at(command: &Command) -> Option<Millis> {
    match command.kind {
        // A clock may be a little fast: a stop that began ahead of the log is told nevertheless.
        CommandKind::Down => Some(command.created_at.max(command.started_at.saturating_add(1))),
        CommandKind::Restored => command.ended_at,
        CommandKind::Withdrawn | CommandKind::Unsubscribed => None,
    }
}

enum Agreement {
    Same,
    /// The views do not know its end yet.
    Behind,
    /// Later events changed it.
    Other,
}

fn agreement(command: &Command, stop: &Interval) -> Agreement {
    match (command.kind, stop.ended_at) {
        (CommandKind::Down, _) => Agreement::Same,
        (_, None) => Agreement::Behind,
        (_, ended_at) if ended_at == command.ended_at => Agreement::Same,
        (_, Some(_)) => Agreement::Other,
    }
}

/// The segments up to when the command tells: views that are ahead of it know more.
fn course(stop: &Interval, command: &Command, told_at: Millis) -> Vec<Stretch> {
    let shown = |text: &andon_domain::Text| text.as_deref().map(cleaned).filter(|text| !text.is_empty());
    let begun: Vec<&Segment> =
        stop.segments.iter().take_while(|segment| segment.started_at < told_at).collect();
    let ends = begun.iter().skip(1).map(|next| Some(next.started_at)).chain([command.ended_at]);
    begun
        .iter()
        .zip(ends)
        .map(|(segment, ended_at)| Stretch {
            started_at: segment.started_at,
            ended_at,
            status: segment.status,
            reason: shown(&segment.reason_code),
            source_status: shown(&segment.source_status),
        })
        .collect()
}

/// The stops of the reader's day up to this one; none if this one has no part in the day of the message.
async fn today(
    views: &dyn Views,
    command: &Command,
    told_at: Millis,
    local: &Local,
) -> Result<Option<Today>, Error> {
    let Some((from, to)) = local.day(command.created_at) else { return Ok(None) };
    let until = told_at.min(to);
    if command.started_at >= to || until <= from {
        return Ok(None);
    }
    let query = IntervalQuery {
        scope: Scope::Lines(vec![command.line_id.clone()]),
        kind: Some(Kind::Down),
        from,
        to: until,
        after: None,
        limit: STOPS_MAX,
    };
    let stops = views.intervals(&query).await?;
    if stops.len() >= STOPS_MAX {
        return Ok(None);
    }
    let upto_this = stops.iter().filter(|stop| stop.interval.started_at <= command.started_at);
    let lasted = upto_this.map(|stop| {
        let ended_at = stop.interval.ended_at.map_or(until, |ended_at| ended_at.min(until));
        ended_at.saturating_sub(stop.interval.started_at.max(from)).max(0)
    });
    Ok(Some(lasted.fold(Today { stops: 0, down_ms: 0 }, |today, ms| Today {
        stops: today.stops + 1,
        down_ms: today.down_ms.saturating_add(ms),
    })))
}
