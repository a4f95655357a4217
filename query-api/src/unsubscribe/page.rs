//! The page, in English and Spanish: plain HTML that works without a script and reads well without its style.

use std::fmt::{Display, Formatter, Write};

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::Extent;

/// Nothing runs, nothing comes from elsewhere, the form leads here alone, and no other page is drawn around it.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; \
     frame-ancestors 'none'";

/// A language that the page is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Language {
    English,
    Spanish,
}

impl Language {
    /// Of a locale as in `es`, `es-MX`, or what a browser accepts first; English for one that is not spoken here.
    pub(super) fn of(locale: &str) -> Self {
        let language = locale.split(['-', '_', '.', ',', ';']).next().unwrap_or_default();
        if language.trim().eq_ignore_ascii_case("es") { Self::Spanish } else { Self::English }
    }

    const fn say(self, english: &'static str, spanish: &'static str) -> &'static str {
        match self {
            Self::English => english,
            Self::Spanish => spanish,
        }
    }
}

/// What is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    /// What would end, and the form.
    Question,
    /// That it has ended.
    Ended(Extent),
}

/// A page.
pub(super) struct Page<'a> {
    language: Language,
    title: &'static str,
    /// Stands behind the title.
    line: Option<&'a str>,
    paragraphs: Vec<&'static str>,
    /// Nodes that the subscriber follows, and that are not the line alone.
    nodes: Vec<&'a str>,
    buttons: Vec<(&'static str, &'static str)>,
}

impl<'a> Page<'a> {
    /// The page of a link: `nodes` are those by which the subscriber follows the line, `has_others` says whether there
    /// are more that do not touch it.
    pub(super) fn new(
        language: Language,
        line: &'a str,
        nodes: Vec<&'a str>,
        has_others: bool,
        shown: Shown,
    ) -> Self {
        let say = |english, spanish| language.say(english, spanish);
        let is_told = !nodes.is_empty();
        let wider: Vec<&str> = nodes.into_iter().filter(|node| *node != line).collect();
        let page = Self {
            language,
            title: say("Mails about", "Mensajes sobre"),
            line: Some(line),
            paragraphs: Vec::new(),
            nodes: Vec::new(),
            buttons: Vec::new(),
        };
        let of_line = ("line", say("Stop the mails about this line", "No recibir más sobre esta línea"));
        let of_all = ("all", say("Stop all mails of Andon", "No recibir ningún mensaje de Andon"));
        let nothing_left = say(
            "No mails about this line are sent to you. There is nothing left to end.",
            "No se le envían mensajes sobre esta línea. No queda nada que anular.",
        );
        let other_mails =
            say("You follow other lines or areas as well.", "También sigue otras líneas o zonas.");
        let no_last_mail = say(
            "If you were told of a stop that still lasts, no mail will follow when it ends.",
            "Si se le avisó de una parada que aún dura, no recibirá otro mensaje cuando termine.",
        );
        let (mut paragraphs, nodes, buttons) = match shown {
            Shown::Question if is_told => {
                let mut paragraphs = vec![say(
                    "Do you want no more mails when this line stops?",
                    "¿No desea recibir más mensajes cuando esta línea se pare?",
                )];
                if !wider.is_empty() {
                    paragraphs.push(say(
                        "You follow the line as a part of what is listed here. Mails about the other lines in it end too.",
                        "Sigue la línea como parte de lo que se indica aquí. También dejará de recibir mensajes sobre las \
                         demás líneas que contiene.",
                    ));
                }
                let buttons = if has_others { vec![of_line, of_all] } else { vec![of_line] };
                (paragraphs, wider, buttons)
            }
            Shown::Question => {
                (vec![nothing_left], Vec::new(), if has_others { vec![of_all] } else { Vec::new() })
            }
            Shown::Ended(Extent::Line) if is_told => {
                let done = say(
                    "Done: no more mails about this line.",
                    "Hecho: no recibirá más mensajes sobre esta línea.",
                );
                (vec![done, no_last_mail], Vec::new(), if has_others { vec![of_all] } else { Vec::new() })
            }
            Shown::Ended(Extent::Line) => {
                (vec![nothing_left], Vec::new(), if has_others { vec![of_all] } else { Vec::new() })
            }
            Shown::Ended(Extent::All) => {
                let done = say("Done: no more mails.", "Hecho: no recibirá más mensajes.");
                (vec![done, no_last_mail], Vec::new(), Vec::new())
            }
        };
        if has_others && shown != Shown::Ended(Extent::All) {
            paragraphs.push(other_mails);
        }
        Self { paragraphs, nodes, buttons, ..page }
    }

    /// The page of a link that nobody signed.
    pub(super) fn unknown(language: Language) -> Self {
        let title = language.say("This link is not known here", "Este enlace no se conoce aquí");
        let why = language.say(
            "It may have been cut off on its way. Copy the whole link from the mail, or ask whoever runs Andon at your plant.",
            "Puede haberse cortado por el camino. Copie el enlace completo del mensaje, o pregunte a quien administra Andon \
             en su planta.",
        );
        Self::plain(language, title, why)
    }

    /// The page where something went wrong here.
    pub(super) fn failed(language: Language) -> Self {
        let title = language.say("That did not work", "No ha funcionado");
        let why = language.say(
            "Nothing is lost; try the same again in a minute.",
            "No se ha perdido nada; inténtelo de nuevo en un minuto.",
        );
        Self::plain(language, title, why)
    }

    fn plain(language: Language, title: &'static str, why: &'static str) -> Self {
        Self { language, title, line: None, paragraphs: vec![why], nodes: Vec::new(), buttons: Vec::new() }
    }

    /// The answer.
    pub(super) fn into_response(self, status: StatusCode) -> Response {
        let mut response = (status, self.html()).into_response();
        let headers = response.headers_mut();
        for (name, value) in [
            (header::CONTENT_TYPE, "text/html; charset=utf-8"),
            (header::CONTENT_LANGUAGE, self.language.say("en", "es")),
            (header::CACHE_CONTROL, "no-store"),
            (header::CONTENT_SECURITY_POLICY, POLICY),
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            // The address holds the token. (`no-referrer` would make the form's origin `null`, which the guard refuses.)
            (header::REFERRER_POLICY, "same-origin"),
            (HeaderName::from_static("x-robots-tag"), "noindex"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        response
    }

    fn html(&self) -> String {
        let mut html = String::with_capacity(2 * 1024);
        let mut put = |text: std::fmt::Arguments<'_>| {
            html.write_fmt(text).expect("a string takes every text");
        };
        let title = self.title;
        put(format_args!(
            "<!doctype html>\n<html lang=\"{}\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"robots\" content=\"noindex\">\n\
             <title>{title} {}</title>\n<link rel=\"icon\" href=\"/static/icon.svg\" type=\"image/svg+xml\">\n\
             <link rel=\"stylesheet\" href=\"/static/andon.css\">\n</head>\n<body>\n<main class=\"narrow\">\n\
             <div class=\"title\"><h1>{title}",
            self.language.say("en", "es"),
            Escaped(self.line.unwrap_or_default()),
        ));
        if let Some(line) = self.line {
            put(format_args!(" <bdi>{}</bdi>", Escaped(line)));
        }
        put(format_args!("</h1></div>\n<section class=\"card\">\n"));
        for paragraph in &self.paragraphs {
            put(format_args!("<p>{paragraph}</p>\n"));
        }
        if !self.nodes.is_empty() {
            put(format_args!("<ul>\n"));
            for node in &self.nodes {
                put(format_args!("<li><bdi>{}</bdi></li>\n", Escaped(node)));
            }
            put(format_args!("</ul>\n"));
        }
        if !self.buttons.is_empty() {
            put(format_args!("<form method=\"post\">\n<p class=\"actions\">\n"));
            for (at, (extent, label)) in self.buttons.iter().enumerate() {
                let class = if at == 0 { " class=\"main\"" } else { "" };
                put(format_args!("<button{class} name=\"extent\" value=\"{extent}\">{label}</button>\n"));
            }
            put(format_args!("</p>\n</form>\n"));
        }
        put(format_args!("</section>\n</main>\n</body>\n</html>\n"));
        html
    }
}

/// A text in which nothing is markup any more.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        self.0.chars().try_for_each(|character| match character {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            '\'' => f.write_str("&#39;"),
            _ => f.write_char(character),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_in_the_language_that_comes_first() {
        for (locale, is_spanish) in [
            ("es", true),
            ("es-MX,es;q=0.9,en;q=0.8", true),
            ("ES;q=1", true),
            ("en-US,es;q=0.5", false),
            ("est", false),
            ("", false),
            ("\u{0}", false),
        ] {
            assert_eq!(Language::of(locale) == Language::Spanish, is_spanish, "{locale:?}");
        }
    }

    #[test]
    fn names_are_text_and_never_markup() {
        let name = "<script>alert(1)</script>\"'&";
        for shown in [Shown::Question, Shown::Ended(Extent::Line)] {
            let html = Page::new(Language::English, name, vec![name, "a/<b>"], true, shown).html();
            assert!(!html.contains("<script") && !html.contains("<b>"), "{html}");
            assert!(
                html.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39;&amp;</bdi></h1>"),
                "{html}"
            );
        }
    }
}
