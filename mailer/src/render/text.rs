//! A message as plain text: what happened first, then the facts a line each.

use std::fmt::Write;

use super::content::{Content, Row};

/// The text of a message. No line begins with a text from outside but the first, which begins with a line's name.
pub(super) fn text(content: &Content) -> String {
    let mut text = format!("{}.\n", content.title());
    let mut line = |args: std::fmt::Arguments<'_>| {
        text.write_fmt(args).and_then(|()| text.write_char('\n')).expect("a string takes every text");
    };
    if let Some(explanation) = content.explanation {
        line(format_args!("{explanation}"));
    }
    line(format_args!(""));
    for (label, value) in &content.rows {
        line(format_args!("{label}: {value}"));
    }
    if let Some(course) = &content.course {
        line(format_args!("\n{}:", course.title));
        for row in &course.stretches {
            match row {
                Row::Stretch { start, lasted, what } => line(format_args!("- {start}, {lasted}: {what}")),
                Row::LeftOut(more) => line(format_args!("  {more}")),
            }
        }
    }
    if let Some((label, url)) = &content.page {
        line(format_args!("\n{label}:\n{url}"));
    }
    line(format_args!("\n-- \nAndon"));
    for sentence in &content.footer {
        line(format_args!("{sentence}"));
    }
    if let Some((label, url)) = &content.unsubscribe {
        line(format_args!("{label}:\n{url}"));
    }
    text
}
