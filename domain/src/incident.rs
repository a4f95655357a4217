//! Who is told what: incidents, the rule of telling, and the closing guarantee.
//!
//! ```text
//!              a downtime interval lasts,            the line is up or idle again,
//!              newest event young enough             or it was retired
//!   no incident ───────────────────────▶ incident ─────────────────────────────▶ no incident
//!                                          │  each subscriber, once its deadline has passed: DOWN
//!                                          ╰─ each one told, at the end: RESTORED | WITHDRAWN (or, before: UNSUBSCRIBED)
//! ```
//!
//! Per incident and subscriber there is exactly one opening command and after it exactly one close.

use crate::config::NEVER;
use crate::timeline::Timeline;
use crate::{
    Command, CommandKind, Directory, DowntimeClass, IncidentId, Interval, LineClass, LineId, LineStatus,
    Millis, NotificationId, Segment, SubscriberId, Subscription, SubscriptionId, Text,
};

/// A stop is told to nobody earlier than this after its incident opened, unless `notify_after` is 0: 10 s.
const TELL_GRACE_MS: i64 = 10_000;

/// The line being down now. At most one per line; its id does not depend on where an interval starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Incident {
    /// Version of the step that opened it: with the line, its identity.
    pub(crate) version: i64,
    /// Log time of the step that opened it.
    pub(crate) opened_at: Millis,
    /// The stop as last known while the line was down.
    pub(crate) stop: Stop,
    /// Start of the stop when it was first told to anybody.
    pub(crate) first_told_start: Option<Millis>,
    /// Whom it was told, in the order of telling. Who was told once is never told again in this incident.
    pub(crate) told: Vec<Told>,
    /// The next log time at which somebody is due; it follows from the rest and the directory.
    pub(crate) next_deadline: Millis,
}

/// A downtime interval that lasts, as far as telling depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stop {
    pub(crate) started_at: Millis,
    pub(crate) status: LineStatus,
    pub(crate) reason_code: Text,
    pub(crate) source_status: Text,
}

/// One subscriber who was told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) subscriber_id: SubscriberId,
    /// The subscription over the line that it hangs on.
    pub(crate) subscription_id: SubscriptionId,
    pub(crate) is_closed: bool,
}

/// The facts of a step that telling depends on.
pub(crate) struct Scene<'a> {
    pub(crate) line_id: &'a LineId,
    pub(crate) timeline: &'a Timeline,
    pub(crate) degraded_is_down: bool,
    pub(crate) is_retired: bool,
    /// Log time of the step.
    pub(crate) now: Millis,
    /// The version that the step has if it says anything.
    pub(crate) version: i64,
    pub(crate) notify_age_ms_max: i64,
    pub(crate) directory: &'a Directory,
    /// Whether the directory may have changed since the last step.
    pub(crate) directory_changed: bool,
}

/// What a step did to the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Noticed {
    /// It opened, closed, or somebody was told.
    pub(crate) is_changed: bool,
    /// The list of who was told is another one.
    pub(crate) told_changed: bool,
}

impl Stop {
    fn of(open: &Interval) -> Self {
        let now = last_segment(open);
        Self {
            started_at: open.started_at,
            status: now.status,
            reason_code: now.reason_code.clone(),
            source_status: now.source_status.clone(),
        }
    }

    /// Takes over how the stop stands now. Whether that can make a difference to who is told.
    fn follow(&mut self, open: &Interval) -> bool {
        let now = last_segment(open);
        let is_another_case =
            self.started_at != open.started_at || self.status.downtime_class() != now.status.downtime_class();
        self.started_at = open.started_at;
        self.status = now.status;
        self.reason_code.clone_from(&now.reason_code);
        self.source_status.clone_from(&now.source_status);
        is_another_case
    }
}

fn last_segment(open: &Interval) -> &Segment {
    open.segments.last().expect("an interval is made with its first segment")
}

impl Scene<'_> {
    fn is_young(&self) -> bool {
        self.now.saturating_sub(self.timeline.newest_at) <= self.notify_age_ms_max
    }

    fn class(&self) -> LineClass {
        match self.timeline.tail.status() {
            Some(status) => status.line_class(self.degraded_is_down),
            None => LineClass::Unknown,
        }
    }
}

/// Judges one step: opens, tells, closes. Commands go to `commands`.
pub(crate) fn judge(
    incident: &mut Option<Box<Incident>>,
    scene: &Scene<'_>,
    commands: &mut Vec<Command>,
) -> Noticed {
    let mut noticed = Noticed::default();
    let stop = scene.timeline.tail.open_down();
    match (incident.as_deref_mut(), stop) {
        (None, Some(stop)) if !scene.is_retired && scene.is_young() => {
            let mut opened = Incident {
                version: scene.version,
                opened_at: scene.now,
                stop: Stop::of(stop),
                first_told_start: None,
                told: Vec::new(),
                next_deadline: NEVER,
            };
            noticed.is_changed = true;
            noticed.told_changed = opened.tell_due(scene, commands);
            *incident = Some(Box::new(opened));
        }
        (Some(open), stop) => {
            let is_another_case = stop.is_some_and(|stop| open.stop.follow(stop));
            if scene.is_retired || matches!(scene.class(), LineClass::Up | LineClass::Idle) {
                open.close(scene, commands);
                let told_changed = !open.told.is_empty();
                *incident = None;
                return Noticed { is_changed: true, told_changed };
            }
            if scene.directory_changed {
                noticed.told_changed |= open.release_leavers(scene, commands);
            }
            if is_another_case || scene.directory_changed || open.next_deadline <= scene.now {
                noticed.told_changed |= open.tell_due(scene, commands);
            }
            noticed.is_changed = noticed.told_changed;
        }
        (None, _) => {}
    }
    noticed
}

impl Incident {
    /// When this subscription is to be told: at once, or once the stop has lasted as long as it wants.
    fn deadline(&self, subscription: &Subscription) -> Millis {
        if subscription.notify_after_ms <= 0 {
            return self.opened_at;
        }
        self.stop
            .started_at
            .saturating_add(subscription.notify_after_ms)
            .max(self.opened_at.saturating_add(TELL_GRACE_MS))
    }

    /// Tells everyone who is due, and finds the next deadline. Whether anyone was told.
    fn tell_due(&mut self, scene: &Scene<'_>, commands: &mut Vec<Command>) -> bool {
        let told_before = self.told.len();
        self.next_deadline = Millis::MAX;
        for subscription in scene.directory.covering(scene.line_id) {
            let deadline = self.deadline(subscription);
            let came_too_late = subscription.created_at > deadline;
            if came_too_late || self.told.iter().any(|told| told.subscriber_id == subscription.subscriber_id)
            {
                continue;
            }
            if deadline > scene.now {
                self.next_deadline = self.next_deadline.min(deadline);
            } else if wants(subscription.class, self.stop.status.downtime_class()) {
                self.first_told_start.get_or_insert(self.stop.started_at);
                let told = Told {
                    subscriber_id: subscription.subscriber_id,
                    subscription_id: subscription.id,
                    is_closed: false,
                };
                self.told.push(told);
                commands.push(self.command(CommandKind::Down, &told, scene));
            }
        }
        self.told.len() > told_before
    }

    /// Closes silently for those whose last subscription over the line was deleted. Whether there were any.
    fn release_leavers(&mut self, scene: &Scene<'_>, commands: &mut Vec<Command>) -> bool {
        let covering = scene.directory.covering(scene.line_id);
        let mut is_changed = false;
        for index in 0..self.told.len() {
            let told = self.told[index];
            if told.is_closed || scene.directory.subscription(told.subscription_id).is_some() {
                continue; // an edit, of the subscription or of the line's place, ends nothing
            }
            is_changed = true;
            match covering.iter().find(|other| other.subscriber_id == told.subscriber_id) {
                Some(other) => self.told[index].subscription_id = other.id,
                None => {
                    self.told[index].is_closed = true;
                    commands.push(self.command(CommandKind::Unsubscribed, &told, scene));
                }
            }
        }
        is_changed
    }

    fn close(&self, scene: &Scene<'_>, commands: &mut Vec<Command>) {
        // What counts is whether anything of what was told is still so: some downtime after its first-told start.
        let is_so = self.first_told_start.is_some_and(|start| scene.timeline.last_down_ended_at() > start);
        let kind = if is_so && !scene.is_retired { CommandKind::Restored } else { CommandKind::Withdrawn };
        for told in self.told.iter().filter(|told| !told.is_closed) {
            commands.push(self.command(kind, told, scene));
        }
    }

    fn command(&self, kind: CommandKind, told: &Told, scene: &Scene<'_>) -> Command {
        let ended_at = (kind == CommandKind::Restored).then(|| scene.timeline.last_down_ended_at());
        let status = match kind {
            CommandKind::Down => self.stop.status,
            CommandKind::Restored | CommandKind::Withdrawn | CommandKind::Unsubscribed => {
                scene.timeline.tail.status().unwrap_or(LineStatus::Unknown)
            }
        };
        let incident_id = IncidentId::derive(scene.line_id, self.version);
        Command {
            notification_id: NotificationId::derive(incident_id, kind, told.subscriber_id),
            incident_id,
            kind,
            subscriber_id: told.subscriber_id,
            subscription_id: told.subscription_id,
            line_id: scene.line_id.clone(),
            version: scene.version,
            created_at: scene.now,
            first_told_start: self.first_told_start.unwrap_or(self.stop.started_at),
            started_at: self.stop.started_at,
            ended_at,
            status,
            reason_code: self.stop.reason_code.clone(),
            source_status: self.stop.source_status.clone(),
        }
    }
}

fn wants(filter: Option<DowntimeClass>, class: Option<DowntimeClass>) -> bool {
    filter.is_none() || filter == class
}
