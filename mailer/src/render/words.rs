//! The words of messages, in English and Spanish.

use andon_domain::{Cause, Command, CommandKind, DowntimeClass, LineStatus};

use crate::local_time::Local;

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

    /// Its code, as in `<html lang>`.
    pub(super) const fn code(self) -> &'static str {
        self.say("en", "es")
    }

    pub(super) const fn say(self, english: &'static str, spanish: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }

    /// What a duration below a second is called.
    pub(super) const fn less_than_a_second(self) -> &'static str {
        self.say("less than 1 s", "menos de 1 s")
    }

    /// The subject, the same through the whole thread: it names the start as it was first told. The date belongs to
    /// it, since clients that go by the subject would put two stops at the same time of day into one thread.
    pub(super) fn stem(self, line: &str, command: &Command, local: &Local) -> String {
        let since = self.say("Down since", "Parada desde");
        format!("[{line}] {since} {}", local.to_the_minute(command.first_told_start))
    }

    /// What follows the line's name in the headline.
    pub(super) fn headline(
        self,
        command: &Command,
        local: &Local,
        lasted: Option<&str>,
    ) -> (&'static str, String) {
        match command.kind {
            CommandKind::Down => {
                let start = local.short(command.started_at, command.created_at);
                ("", format!("{} {start}", self.say(" is down since", " está parada desde")))
            }
            CommandKind::Restored => {
                let after = lasted.map(|lasted| format!("{} {lasted}", self.say(", after", ", tras")));
                let over = self.say(" is no longer down", " ya no está parada");
                ("", format!("{over}{}", after.unwrap_or_default()))
            }
            CommandKind::Withdrawn | CommandKind::Unsubscribed => (
                self.say("The stop of ", "Se retira la parada de "),
                self.say(" is withdrawn", "").to_owned(),
            ),
        }
    }

    /// The word for what a message says, to be seen from afar.
    pub(super) const fn badge(self, kind: CommandKind) -> &'static str {
        match kind {
            CommandKind::Down => self.say("Down", "Parada"),
            CommandKind::Restored => self.say("Restored", "Restablecida"),
            CommandKind::Withdrawn | CommandKind::Unsubscribed => self.say("Withdrawn", "Retirada"),
        }
    }

    /// The status in words, and its class and cause where it is a stop.
    pub(super) fn status(self, status: LineStatus) -> String {
        let name = self.status_name(status);
        let class = match status.downtime_class() {
            None => return name.to_owned(),
            Some(DowntimeClass::Planned) => self.say("planned", "planificada"),
            Some(DowntimeClass::Unplanned) => self.say("unplanned", "no planificada"),
        };
        match status.cause() {
            Cause::Internal => {
                format!("{name} ({class}, {})", self.say("cause in the line", "causa en la línea"))
            }
            Cause::External => {
                format!("{name} ({class}, {})", self.say("cause outside the line", "causa fuera de la línea"))
            }
            Cause::None => format!("{name} ({class})"),
        }
    }

    /// The status alone.
    pub(super) const fn status_name(self, status: LineStatus) -> &'static str {
        match status {
            LineStatus::Unknown | LineStatus::NoChange => self.say("unknown", "desconocido"),
            LineStatus::Running => self.say("running", "en marcha"),
            LineStatus::Degraded => self.say("degraded", "degradada"),
            LineStatus::Idle => self.say("idle", "sin orden"),
            LineStatus::Stopped => self.say("stopped", "parada"),
            LineStatus::Faulted => self.say("faulted", "en fallo"),
            LineStatus::Blocked => self.say("blocked", "bloqueada"),
            LineStatus::Starved => self.say("starved", "sin material"),
            LineStatus::PlannedStop => self.say("planned stop", "parada planificada"),
            LineStatus::Changeover => self.say("changeover", "cambio de formato"),
        }
    }

    /// Which stop of the day it is, and how long the day's stops lasted.
    pub(super) fn today(self, stops: usize, down: &str) -> String {
        match self {
            Self::English => format!("{} stop, {down} down in all", english_ordinal(stops)),
            Self::Spanish => format!("{stops}.ª parada, {down} en total"),
        }
    }

    /// How many segments are left out.
    pub(super) fn left_out(self, count: usize) -> String {
        format!("… {count} {} …", self.say("more", "más"))
    }

    /// Which clock the times are of.
    pub(super) fn times(self, local: &Local) -> String {
        let zone = &local.name;
        match (self, local.is_known) {
            (Self::English, true) => format!("Times are in the zone {zone}."),
            (Self::English, false) => "Times are in UTC: your time zone is not known.".to_owned(),
            (Self::Spanish, true) => format!("Horas en la zona {zone}."),
            (Self::Spanish, false) => "Horas en UTC: no se conoce su zona horaria.".to_owned(),
        }
    }
}

fn english_ordinal(number: usize) -> String {
    let suffix = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{suffix}")
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

    #[test]
    fn stops_of_a_day_are_counted_as_one_speaks() {
        for (number, wanted) in [
            (1, "1st"),
            (2, "2nd"),
            (3, "3rd"),
            (4, "4th"),
            (11, "11th"),
            (12, "12th"),
            (13, "13th"),
            (21, "21st"),
            (102, "102nd"),
            (111, "111th"),
            (113, "113th"),
        ] {
            assert_eq!(english_ordinal(number), wanted);
        }
        assert_eq!(Language::English.today(3, "1 h 12 min"), "3rd stop, 1 h 12 min down in all");
        assert_eq!(Language::Spanish.today(3, "1 h 12 min"), "3.ª parada, 1 h 12 min en total");
    }
}
