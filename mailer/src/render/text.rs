//! The words of a message, in English and Spanish: what happened first, then the facts a line each.

use andon_domain::{Cause, CommandKind, DowntimeClass, LineStatus};

use super::local_time::Local;
use super::{Facts, duration};

/// A language that messages are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
}

impl Language {
    /// The language of a locale as in `es`, `es-MX` or `es_ES.UTF-8`; English for one that is not spoken here.
    pub(super) fn of(locale: &str) -> Self {
        let language = locale.split(['-', '_', '.']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("es") { Self::Spanish } else { Self::English }
    }

    const fn say(self, english: &'static str, spanish: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }

    pub(super) const fn less_than_a_second(self) -> &'static str {
        self.say("less than 1 s", "menos de 1 s")
    }
}

/// The subject, the same through the whole thread: it names the start as it was first told. The date belongs to it,
/// since clients that go by the subject would put two stops at the same time of day into one thread.
pub(super) fn stem(facts: &Facts<'_>, language: Language, local: &Local) -> String {
    let since = language.say("Down since", "Parada desde");
    format!("[{}] {since} {}", facts.line, local.to_the_minute(facts.command.first_told_start))
}

/// The text of the message.
pub(super) fn body(facts: &Facts<'_>, language: Language, local: &Local) -> String {
    let command = facts.command;
    let line = &facts.line;
    let start = local.to_the_second(command.started_at);
    let mut rows = vec![(language.say("Start", "Inicio"), start.clone())];
    let headline = match command.kind {
        CommandKind::Down => match language {
            Language::English => format!("{line} is down since {start}."),
            Language::Spanish => format!("{line} está parada desde {start}."),
        },
        CommandKind::Restored => {
            if let Some(ended_at) = command.ended_at {
                let lasted = duration::shown(ended_at.saturating_sub(command.started_at), language);
                rows.push((language.say("End", "Fin"), local.to_the_second(ended_at)));
                rows.push((language.say("Duration", "Duración"), lasted));
            }
            match language {
                Language::English => format!("{line} is no longer down."),
                Language::Spanish => format!("{line} ya no está parada."),
            }
        }
        CommandKind::Withdrawn | CommandKind::Unsubscribed => match language {
            Language::English => {
                format!(
                    "The stop of {line} is withdrawn: later reports took it back, or the line was retired."
                )
            }
            Language::Spanish => {
                format!(
                    "Se retira la parada de {line}: datos posteriores la desmienten o la línea se dio de baja."
                )
            }
        },
    };
    let unknown = language.say("reason unknown", "motivo desconocido");
    let reason = facts.reason.clone().unwrap_or_else(|| unknown.to_owned());
    let about_the_stop = [
        facts
            .source_status
            .clone()
            .map(|word| (language.say("Controller's word", "Palabra del control"), word)),
        Some((language.say("Reason", "Motivo"), reason)),
    ];
    let now = status(command.status, language);
    match command.kind {
        CommandKind::Down => {
            rows.push((language.say("Status", "Estado"), now));
            rows.extend(about_the_stop.into_iter().flatten());
        }
        CommandKind::Restored | CommandKind::Withdrawn | CommandKind::Unsubscribed => {
            rows.extend(about_the_stop.into_iter().flatten());
            rows.push((language.say("Status now", "Estado ahora"), now));
        }
    }
    let rows: String = rows.iter().map(|(label, value)| format!("{label}: {value}\n")).collect();
    let footer = footer(facts, language, local);
    format!("{headline}\n\n{rows}\n-- \n{footer}")
}

fn footer(facts: &Facts<'_>, language: Language, local: &Local) -> String {
    let zone = &local.name;
    let times = match (language, local.is_known) {
        (Language::English, true) => format!("Times are in the zone {zone}."),
        (Language::English, false) => "Times are in UTC: your time zone is not known.".to_owned(),
        (Language::Spanish, true) => format!("Horas en la zona {zone}."),
        (Language::Spanish, false) => "Horas en UTC: no se conoce su zona horaria.".to_owned(),
    };
    let incident = facts.command.incident_id;
    let why = language.say(
        "You receive this because you asked to be told when this line stops.",
        "Recibe este mensaje porque pidió que se le avise cuando esta línea se pare.",
    );
    let label = language.say("Incident", "Incidente");
    format!("Andon\n{times}\n{why}\n{label} {incident}")
}

/// The status in words, and its class and cause where it is a stop.
fn status(status: LineStatus, language: Language) -> String {
    let name = match status {
        LineStatus::Unknown | LineStatus::NoChange => language.say("unknown", "desconocido"),
        LineStatus::Running => language.say("running", "en marcha"),
        LineStatus::Degraded => language.say("degraded", "degradada"),
        LineStatus::Idle => language.say("idle", "sin orden"),
        LineStatus::Stopped => language.say("stopped", "parada"),
        LineStatus::Faulted => language.say("faulted", "en fallo"),
        LineStatus::Blocked => language.say("blocked", "bloqueada"),
        LineStatus::Starved => language.say("starved", "sin material"),
        LineStatus::PlannedStop => language.say("planned stop", "parada planificada"),
        LineStatus::Changeover => language.say("changeover", "cambio de formato"),
    };
    let class = match status.downtime_class() {
        None => return name.to_owned(),
        Some(DowntimeClass::Planned) => language.say("planned", "planificada"),
        Some(DowntimeClass::Unplanned) => language.say("unplanned", "no planificada"),
    };
    match status.cause() {
        Cause::Internal => {
            format!("{name} ({class}, {})", language.say("cause in the line", "causa en la línea"))
        }
        Cause::External => {
            format!("{name} ({class}, {})", language.say("cause outside the line", "causa fuera de la línea"))
        }
        Cause::None => format!("{name} ({class})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_names_its_language_however_it_is_written() {
        let rows = [
            ("es", true),
            ("ES", true),
            ("es-MX", true),
            ("es_ES.UTF-8", true),
            ("en", false),
            ("", false),
            ("est", false),
            ("de", false),
            ("\r\n", false),
        ];
        for (locale, is_spanish) in rows {
            assert_eq!(Language::of(locale) == Language::Spanish, is_spanish, "{locale:?}");
        }
    }
}
