//! A message as HTML, for mail programs of every age: tables for layout, styles inline, nothing loaded from anywhere.
//! Whatever came from outside is escaped, and in an element of its own direction.

use std::fmt::Write;

use super::content::{Content, Row, Tone};

/// Colours of a dark screen; whoever does not know media queries stays with the light ones, which are inline.
const STYLE: &str = "\
:root{color-scheme:light dark;supported-color-schemes:light dark}
@media (prefers-color-scheme:dark){
.page{background:#16181c!important}
.card{background:#23262c!important;border-color:#3a3f48!important}
.text{color:#f1f3f5!important}
.soft{color:#aab2bd!important}
.rule{border-color:#3a3f48!important}
.link{color:#8ab8ff!important}
.button{background:#40566d!important}
}";

const FONT: &str = "font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif";

impl Tone {
    /// Background of the badge; white text on it has a contrast of at least 4.5 to 1, light or dark around it.
    const fn colour(self) -> &'static str {
        match self {
            Self::Alarm => "#c62828",
            Self::Planned => "#1f5fa8",
            Self::Good => "#2e7d32",
            Self::Neutral => "#5f6670",
        }
    }
}

/// The HTML of a message, in short lines.
pub(super) fn html(content: &Content) -> String {
    let mut html = String::with_capacity(6 * 1024);
    put(
        &mut html,
        format_args!(
            "<!doctype html>\n<html lang=\"{lang}\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta name=\"supported-color-schemes\" content=\"light dark\">\n\
         <meta name=\"format-detection\" content=\"telephone=no,date=no,address=no,email=no,url=no\">\n\
         <title>{title}</title>\n<style>\n{STYLE}\n</style>\n</head>\n",
            lang = content.language.code(),
            title = Escaped(&content.title()),
        ),
    );
    put(
        &mut html,
        format_args!(
            "<body class=\"page\" style=\"margin:0;padding:0;background:#eef0f3\">\n\
         <table role=\"presentation\" class=\"page\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"\n \
         style=\"background:#eef0f3\">\n<tr><td align=\"center\" style=\"padding:16px 8px\">\n\
         <table role=\"presentation\" class=\"card\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"\n \
         style=\"max-width:600px;background:#ffffff;border:1px solid #d5d9df;border-top:6px solid {colour}!important\">\n",
            colour = content.tone.colour(),
        ),
    );
    head(&mut html, content);
    facts(&mut html, content);
    course(&mut html, content);
    page(&mut html, content);
    html.push_str("</table>\n");
    footer(&mut html, content);
    html.push_str("</td></tr>\n</table>\n</body>\n</html>\n");
    html
}

fn head(html: &mut String, content: &Content) {
    let (before, after) = &content.headline;
    put(
        html,
        format_args!(
            "<tr><td class=\"text\" align=\"left\" style=\"padding:20px 20px 8px;{FONT};color:#1b1f24\">\n\
         <span style=\"display:inline-block;padding:3px 10px;background:{colour};color:#ffffff;\n \
         font-size:13px;line-height:20px;font-weight:bold;text-transform:uppercase;letter-spacing:.5px\">{badge}</span>\n\
         <h1 class=\"text\" style=\"margin:12px 0 0;font-size:22px;line-height:28px;font-weight:bold;color:#1b1f24;\n \
         word-break:break-word;overflow-wrap:anywhere\">{before}<bdi>{line}</bdi>{after}</h1>\n",
            colour = content.tone.colour(),
            badge = content.badge,
            line = Escaped(&content.line),
            after = Escaped(after),
        ),
    );
    if let Some(explanation) = content.explanation {
        put(
            html,
            format_args!(
                "<p class=\"soft\" style=\"margin:6px 0 0;font-size:15px;line-height:22px;color:#57606a\">{explanation}</p>\n"
            ),
        );
    }
    html.push_str("</td></tr>\n");
}

fn facts(html: &mut String, content: &Content) {
    put(
        html,
        format_args!(
            "<tr><td style=\"padding:8px 20px 16px\">\n\
         <table class=\"text\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"\n \
         style=\"{FONT};font-size:15px;line-height:21px;color:#1b1f24\">\n"
        ),
    );
    for (label, value) in &content.rows {
        put(
            html,
            format_args!(
                "<tr>\n<th class=\"soft rule\" scope=\"row\" align=\"left\" valign=\"top\" width=\"34%\"\n \
             style=\"padding:8px 12px 8px 0;border-bottom:1px solid #e4e7eb;font-weight:normal;color:#57606a\">{}</th>\n\
             <td class=\"text rule\" align=\"left\" valign=\"top\" style=\"padding:8px 0;\n \
             border-bottom:1px solid #e4e7eb;color:#1b1f24;word-break:break-word;overflow-wrap:anywhere\">\
             <bdi>{}</bdi></td>\n</tr>\n",
                Escaped(label),
                Escaped(value),
            ),
        );
    }
    html.push_str("</table>\n</td></tr>\n");
}

fn course(html: &mut String, content: &Content) {
    let Some(course) = &content.course else { return };
    put(
        html,
        format_args!(
            "<tr><td style=\"padding:0 20px 16px\">\n\
         <h2 class=\"text\" style=\"margin:0 0 4px;{FONT};font-size:15px;line-height:21px;color:#1b1f24\">{}</h2>\n\
         <table class=\"text\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"\n \
         style=\"{FONT};font-size:14px;line-height:20px;color:#1b1f24\">\n",
            course.title
        ),
    );
    for row in &course.stretches {
        match row {
            Row::Stretch { start, lasted, what } => put(
                html,
                format_args!(
                    "<tr>\n<td class=\"soft\" align=\"left\" valign=\"top\" width=\"34%\"\n \
                 style=\"padding:4px 12px 4px 0;color:#57606a\">{}</td>\n\
                 <td class=\"text\" align=\"left\" valign=\"top\"\n \
                 style=\"padding:4px 0;color:#1b1f24;word-break:break-word;overflow-wrap:anywhere\">\
                 {}: <bdi>{}</bdi></td>\n</tr>\n",
                    Escaped(start),
                    Escaped(lasted),
                    Escaped(what),
                ),
            ),
            Row::LeftOut(more) => put(
                html,
                format_args!(
                    "<tr><td class=\"soft\" colspan=\"2\" style=\"padding:4px 0;color:#57606a\">{}</td></tr>\n",
                    Escaped(more),
                ),
            ),
        }
    }
    html.push_str("</table>\n</td></tr>\n");
}

fn page(html: &mut String, content: &Content) {
    let Some((label, url)) = &content.page else { return };
    put(
        html,
        format_args!(
            "<tr><td align=\"left\" style=\"padding:0 20px 20px\">\n\
         <table role=\"presentation\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\"><tr>\n\
         <td class=\"button\" bgcolor=\"#2a3644\" style=\"background:#2a3644;padding:11px 18px\">\n\
         <a href=\"{}\"\n style=\"{FONT};font-size:15px;line-height:20px;color:#ffffff;text-decoration:none\">{label}</a>\n\
         </td></tr></table>\n</td></tr>\n",
            Escaped(url),
        ),
    );
}

fn footer(html: &mut String, content: &Content) {
    put(
        html,
        format_args!(
            "<table role=\"presentation\" width=\"100%\" cellpadding=\"0\" cellspacing=\"0\" border=\"0\" \
         style=\"max-width:600px\">\n\
         <tr><td class=\"soft\" align=\"left\" style=\"padding:12px 20px;{FONT};font-size:12px;line-height:18px;\n \
         color:#57606a\">\nAndon<br>\n"
        ),
    );
    for sentence in &content.footer {
        put(html, format_args!("{}<br>\n", Escaped(sentence)));
    }
    if let Some((label, url)) = &content.unsubscribe {
        put(
            html,
            format_args!(
                "<a class=\"link\" href=\"{}\"\n style=\"color:#1f5fa8\">{label}</a>\n",
                Escaped(url),
            ),
        );
    }
    html.push_str("</td></tr>\n</table>\n");
}

fn put(html: &mut String, text: std::fmt::Arguments<'_>) {
    html.write_fmt(text).expect("a string takes every text");
}

/// A text in which nothing is markup any more, in an element or in a quoted attribute.
struct Escaped<'a>(&'a str);

impl std::fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut rest = self.0;
        while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
            f.write_str(&rest[..at])?;
            f.write_str(match rest.as_bytes()[at] {
                b'&' => "&amp;",
                b'<' => "&lt;",
                b'>' => "&gt;",
                b'"' => "&quot;",
                _ => "&#39;",
            })?;
            rest = &rest[at + 1..];
        }
        f.write_str(rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_escapes_its_element_or_attribute() {
        for (given, wanted) in [
            ("", ""),
            ("línea 3", "línea 3"),
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("a&amp;b", "a&amp;amp;b"),
            ("🏭<🏭>", "🏭&lt;🏭&gt;"),
        ] {
            assert_eq!(Escaped(given).to_string(), wanted);
        }
    }
}
