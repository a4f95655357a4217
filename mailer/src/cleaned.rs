//! Texts from outside, made fit for a header and a line of text. Nothing that breaks a line, reorders the text around
//! it or poses as an encoded word may pass.

/// Longest text, in characters; a line id has at most 200 bytes.
const CHARS_MAX: usize = 200;

/// The text in one line: control characters, line separators and marks of direction become a space, spaces in a row
/// one, and what is longer than [`CHARS_MAX`] is cut with an ellipsis.
pub(crate) fn cleaned(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(4 * CHARS_MAX));
    let mut chars = 0;
    let mut is_space_owed = false;
    for character in text.chars() {
        if character.is_whitespace() || is_unfit(character) {
            is_space_owed = !clean.is_empty();
            continue;
        }
        // `=?` begins an encoded word, which a reader would decode into whatever was hidden in it.
        let has_space = is_space_owed || (character == '?' && clean.ends_with('='));
        chars += 1 + usize::from(has_space);
        if chars > CHARS_MAX {
            clean.push('…');
            break;
        }
        if has_space {
            clean.push(' ');
        }
        clean.push(character);
        is_space_owed = false;
    }
    clean
}

/// Controls, and format characters that turn the direction of the text or break its line.
fn is_unfit(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_texts_become_one_harmless_line() {
        let rows = [
            ("line 3", "line 3"),
            ("", ""),
            (" \r\n\t ", ""),
            ("a\r\nBcc: x@y.example", "a Bcc: x@y.example"),
            ("a\u{0}b\u{7f}c\u{9b}d", "a b c d"),
            ("a\u{202e}gpj.exe", "a gpj.exe"),
            ("a\u{2028}b\u{85}c", "a b c"),
            ("\u{2066}\u{200f}", ""),
            ("=?utf-8?q?=0D=0ABcc?=", "= ?utf-8?q?=0D=0ABcc?="),
            ("=\u{0}?", "= ?"),
            ("línea de montaje №3", "línea de montaje №3"),
            ("קו 3", "קו 3"),
        ];
        for (given, wanted) in rows {
            assert_eq!(cleaned(given), wanted, "{given:?}");
        }
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        let long = "é".repeat(201);
        assert_eq!(cleaned(&long), "é".repeat(200) + "…");
        assert_eq!(cleaned(&"é".repeat(200)), "é".repeat(200));
        assert_eq!(cleaned(&"a ".repeat(1_000)), "a ".repeat(99) + "a…", "never longer, spaces counted");
        assert_eq!(cleaned(&("a".repeat(200) + "\r\n")), "a".repeat(200), "nothing was cut but a line break");
    }
}
