//! What a message says, before it is text or HTML: both print the same content, so they never disagree.

use andon_domain::{Command, CommandKind, DowntimeClass, SubscriberId};

use super::words::Language;
use super::{Look, duration};
use crate::cleaned::cleaned;
use crate::history::{History, Manner};
use crate::local_time::Local;

/// A stop that lasted so long when it was told has its duration in the message: 1 min.
const TELLING_MS: i64 = 60_000;

/// The content of one message. Every text is in one line, and fit to be shown.
pub(super) struct Content {
    pub(super) language: Language,
    /// The subject, the same through the whole thread.
    pub(super) stem: String,
    pub(super) line: String,
    pub(super) tone: Tone,
    pub(super) badge: &'static str,
    /// What stands before and after the line's name.
    pub(super) headline: (&'static str, String),
    pub(super) explanation: Option<&'static str>,
    /// Labels and values.
    pub(super) rows: Vec<(&'static str, String)>,
    pub(super) course: Option<Course>,
    /// The line's page, with its label.
    pub(super) page: Option<(&'static str, String)>,
    pub(super) footer: Vec<String>,
    /// The way out, with its label.
    pub(super) unsubscribe: Option<(&'static str, String)>,
}

/// How a message looks from afar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    Alarm,
    Planned,
    Good,
    Neutral,
}

/// How a stop went on.
pub(super) struct Course {
    pub(super) title: &'static str,
    pub(super) stretches: Vec<Row>,
}

/// One row of a [`Course`].
pub(super) enum Row {
    Stretch { start: String, lasted: String, what: String },
    LeftOut(String),
}

impl Content {
    /// The content of a command's message to one subscriber.
    pub(super) fn new(
        command: &Command,
        history: &History,
        subscriber_id: SubscriberId,
        manner: &Manner,
        look: &Look,
    ) -> Self {
        let (language, local) = (Language::of(&manner.locale), &Local::of(&manner.zone));
        let line = cleaned(command.line_id.as_str());
        let lasted = command
            .ended_at
            .map(|ended_at| duration::shown(ended_at.saturating_sub(command.started_at), language));
        let is_withdrawn = matches!(command.kind, CommandKind::Withdrawn | CommandKind::Unsubscribed);
        let explanation = language.say(
            "Later reports took it back, or the line was retired.",
            "Datos posteriores la desmienten, o la línea se dio de baja.",
        );
        let why = language.say(
            "You receive this because you asked to be told when this line stops.",
            "Recibe este mensaje porque pidió que se le avise cuando esta línea se pare.",
        );
        let incident = language.say("Incident", "Incidente");
        let links = look.links.as_ref();
        Self {
            language,
            stem: manner.stem.clone(),
            tone: tone(command),
            badge: language.badge(command.kind),
            headline: language.headline(command, local, lasted.as_deref()),
            explanation: is_withdrawn.then_some(explanation),
            rows: rows(command, history, lasted, language, local),
            course: course(command, history, language, local),
            page: links.map(|links| {
                (language.say("Page of the line", "Página de la línea"), links.line_page(&command.line_id))
            }),
            footer: vec![
                language.times(local),
                why.to_owned(),
                format!("{incident} {}", command.incident_id),
            ],
            unsubscribe: links.map(|links| {
                let label = language.say("Stop these mails", "No recibir más estos mensajes");
                (label, links.unsubscribe(subscriber_id, &command.line_id))
            }),
            line,
        }
    }

    /// The headline in one text.
    pub(super) fn title(&self) -> String {
        format!("{}{}{}", self.headline.0, self.line, self.headline.1)
    }
}

fn tone(command: &Command) -> Tone {
    match command.kind {
        CommandKind::Down => match command.status.downtime_class() {
            Some(DowntimeClass::Planned) => Tone::Planned,
            Some(DowntimeClass::Unplanned) | None => Tone::Alarm,
        },
        CommandKind::Restored => Tone::Good,
        CommandKind::Withdrawn | CommandKind::Unsubscribed => Tone::Neutral,
    }
}

fn rows(
    command: &Command,
    history: &History,
    lasted: Option<String>,
    language: Language,
    local: &Local,
) -> Vec<(&'static str, String)> {
    let shown = |text: &Option<_>| text.as_deref().map(cleaned).filter(|text| !text.is_empty());
    let unknown = || language.say("reason unknown", "motivo desconocido").to_owned();
    let status = language.status(command.status);
    let mut rows = vec![(language.say("Start", "Inicio"), local.to_the_second(command.started_at))];
    match command.kind {
        CommandKind::Down => {
            let so_far = command.created_at.saturating_sub(command.started_at);
            if so_far >= TELLING_MS {
                rows.push((language.say("So far", "Hasta ahora"), duration::shown(so_far, language)));
            }
            rows.push((language.say("Status", "Estado"), status.clone()));
        }
        CommandKind::Restored => {
            if let Some(ended_at) = command.ended_at {
                rows.push((language.say("End", "Fin"), local.to_the_second(ended_at)));
            }
            rows.extend(lasted.map(|lasted| (language.say("Duration", "Duración"), lasted)));
            if let [only] = history.segments.as_slice() {
                rows.push((language.say("Stop", "Parada"), language.status(only.status)));
            }
        }
        CommandKind::Withdrawn | CommandKind::Unsubscribed => {}
    }
    rows.push((language.say("Reason", "Motivo"), shown(&command.reason_code).unwrap_or_else(unknown)));
    if let Some(word) = shown(&command.source_status) {
        rows.push((language.say("Controller's word", "Palabra del control"), word));
    }
    if let Some(today) = history.today {
        let down = duration::shown(today.down_ms, language);
        rows.push((language.say("Today", "Hoy"), language.today(today.stops, &down)));
    }
    if command.kind != CommandKind::Down {
        rows.push((language.say("Status now", "Estado ahora"), status));
    }
    rows
}

/// The course of the stop, where it says more than the rows do.
fn course(command: &Command, history: &History, language: Language, local: &Local) -> Option<Course> {
    if history.segments.len() < 2 {
        return None;
    }
    let gap_at = history.gap_at();
    let mut stretches = Vec::with_capacity(history.segments.len() + 1);
    // The date of the start stands in the rows already.
    let mut shown_at = command.started_at;
    for (at, stretch) in history.segments.iter().enumerate() {
        if gap_at == Some(at) {
            stretches.push(Row::LeftOut(language.left_out(history.left_out)));
        }
        let start = if local.is_same_day(shown_at, stretch.started_at) {
            local.time_of_day(stretch.started_at)
        } else {
            local.to_the_second(stretch.started_at)
        };
        shown_at = stretch.started_at;
        let lasted = match stretch.ended_at {
            Some(ended_at) => duration::shown(ended_at.saturating_sub(stretch.started_at), language),
            None => language.say("still", "sigue").to_owned(),
        };
        let mut what = language.status_name(stretch.status).to_owned();
        for detail in [&stretch.reason, &stretch.source_status].into_iter().flatten() {
            what.push_str(", ");
            what.push_str(detail);
        }
        stretches.push(Row::Stretch { start, lasted, what });
    }
    Some(Course { title: language.say("Course of the stop", "Desarrollo de la parada"), stretches })
}
