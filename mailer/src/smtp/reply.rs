//! A server's answer, read line by line. Its words are kept only where they mean something to the dialogue (EHLO), and
//! never leave this folder.

use crate::ReplyCode;

/// Most lines of one answer.
const LINES_MAX: usize = 100;

/// Longest line of an answer, in bytes with its end; RFC 5321 asks for 512.
pub(super) const LINE_BYTES_MAX: usize = 4_096;

/// A whole answer.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Reply {
    pub(super) code: ReplyCode,
    /// The text of each line, without code and separator.
    pub(super) lines: Vec<String>,
}

/// An answer of which lines are still to come.
#[derive(Debug, Default)]
pub(super) struct PartialReply {
    code: Option<u16>,
    lines: Vec<String>,
}

/// What the server sends is no answer of SMTP.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Garbled;

impl PartialReply {
    /// Takes the next line, without its end; the answer if it is complete.
    pub(super) fn line(&mut self, line: &[u8]) -> Result<Option<Reply>, Garbled> {
        let (digits, rest) = line.split_at_checked(3).ok_or(Garbled)?;
        let code = digits.iter().try_fold(0_u16, |code, digit| match digit {
            b'0'..=b'9' => Ok(code * 10 + u16::from(digit - b'0')),
            _ => Err(Garbled),
        })?;
        if !(200..600).contains(&code)
            || *self.code.get_or_insert(code) != code
            || self.lines.len() == LINES_MAX
        {
            return Err(Garbled);
        }
        let (is_last, text) = match rest {
            [] => (true, &[][..]),
            [b' ', text @ ..] => (true, text),
            [b'-', text @ ..] => (false, text),
            _ => return Err(Garbled),
        };
        self.lines.push(String::from_utf8_lossy(text).into_owned());
        if !is_last {
            return Ok(None);
        }
        let lines = std::mem::take(&mut self.lines);
        let enhanced = lines.last().and_then(|line| enhanced(code, line));
        Ok(Some(Reply { code: ReplyCode { code, enhanced }, lines }))
    }
}

/// The enhanced status code that the text of a line begins with. One of another class than the code is none.
fn enhanced(code: u16, text: &str) -> Option<(u8, u16, u16)> {
    let mut parts = text.split(' ').next()?.split('.').map(|part| match part.len() {
        1..=3 if part.bytes().all(|byte| byte.is_ascii_digit()) => part.parse::<u16>().ok(),
        _ => None,
    });
    let (class, subject, detail) = (parts.next()??, parts.next()??, parts.next()??);
    let is_whole = parts.next().is_none() && class == code / 100;
    is_whole.then_some((u8::try_from(class).ok()?, subject, detail))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&str]) -> Result<Option<Reply>, Garbled> {
        let mut partial = PartialReply::default();
        let (last, before) = lines.split_last().unwrap();
        for line in before {
            assert_eq!(partial.line(line.as_bytes())?, None, "{line}");
        }
        partial.line(last.as_bytes())
    }

    #[test]
    fn an_answer_ends_with_its_first_line_without_a_hyphen() {
        let reply = read(&["250-relay.example", "250-STARTTLS", "250 SMTPUTF8"]).unwrap().unwrap();
        assert_eq!(reply.code, 250.into());
        assert_eq!(reply.lines, ["relay.example", "STARTTLS", "SMTPUTF8"]);
        assert_eq!(read(&["250"]).unwrap().unwrap().lines, [""]);
        assert_eq!(read(&["250-more to come"]), Ok(None));
    }

    #[test]
    fn the_enhanced_status_is_read_where_it_is_one() {
        let rows = [
            ("550 5.1.1 <a@b.example> no such user", "550 5.1.1"),
            ("250 2.0.0", "250 2.0.0"),
            ("451 4.7.500 slow down", "451 4.7.500"),
            ("550 4.1.1 contradicts itself", "550"),
            ("550 5.1 short", "550"),
            ("550 5.1.1.1 long", "550"),
            ("550 5.1.1234 wide", "550"),
            ("550 5.+1.1 signed", "550"),
            ("550", "550"),
        ];
        for (line, wanted) in rows {
            let reply = read(&[line]).unwrap().unwrap();
            assert_eq!(reply.code.to_string(), wanted, "{line}");
        }
    }

    #[test]
    fn what_is_no_answer_is_said_to_be_none() {
        for lines in [
            &[""][..],
            &["25"],
            &["2x0 ok"],
            &["199 low"],
            &["600 high"],
            &["250_ok"],
            &["HTTP/1.1 400 Bad Request"],
            &["250-one", "251 another"],
            &["\u{e9}50 ok"],
        ] {
            assert_eq!(read(lines), Err(Garbled), "{lines:?}");
        }
        assert_eq!(read(&["250-x"; LINES_MAX + 1]), Err(Garbled), "an endless answer is none");
    }
}
