//! A message as it goes over the wire: its two addresses as arguments of commands, its lines with their dots doubled.

use lettre::Address;

use super::fault::Fault;
use crate::Mail;

/// One message, ready to be handed over.
#[derive(PartialEq, Eq)]
pub(super) struct Parcel<'a> {
    sender: Option<&'a Address>,
    recipient: &'a Address,
    /// Whether an address has letters outside ASCII.
    pub(super) needs_smtputf8: bool,
    /// Whether the content has, and the addresses have not.
    pub(super) needs_8bit: bool,
    /// The content, a line that begins with a dot with one more, ending in CR LF.
    pub(super) stuffed: Vec<u8>,
}

impl<'a> Parcel<'a> {
    /// Packs a message.
    ///
    /// # Errors
    /// It has another number of recipients than one, or breaks the dialogue.
    pub(super) fn pack(mail: &'a Mail) -> Result<Self, Fault> {
        let [recipient] = mail.envelope.to() else {
            return Err(Fault::Message("it does not have one recipient"));
        };
        let sender = mail.envelope.from();
        for address in sender.into_iter().chain([recipient]) {
            let text: &str = address.as_ref();
            if text.chars().any(|char| char.is_control() || matches!(char, '<' | '>')) {
                return Err(Fault::Message("an address has characters that a command cannot hold"));
            }
        }
        let is_ascii = |address: &Address| AsRef::<str>::as_ref(address).is_ascii();
        let needs_smtputf8 = !is_ascii(recipient) || !sender.is_none_or(is_ascii);
        Ok(Self {
            sender,
            recipient,
            needs_smtputf8,
            needs_8bit: !needs_smtputf8 && !mail.content.is_ascii(),
            stuffed: stuffed(&mail.content)?,
        })
    }

    /// `MAIL FROM`, without its line end.
    pub(super) fn mail_from(&self) -> String {
        let sender = self.sender.map_or("", AsRef::as_ref);
        // Whoever has SMTPUTF8 has 8BITMIME (RFC 6531, 3.1), and the headers are in UTF-8 then.
        let parameters = match (self.needs_smtputf8, self.needs_8bit) {
            (true, _) => " BODY=8BITMIME SMTPUTF8",
            (false, true) => " BODY=8BITMIME",
            (false, false) => "",
        };
        format!("MAIL FROM:<{sender}>{parameters}")
    }

    /// `RCPT TO`, without its line end.
    pub(super) fn rcpt_to(&self) -> String {
        format!("RCPT TO:<{}>", self.recipient)
    }
}

/// Doubles the dot that begins a line. A line end that is none would let a content end before its end, so it is
/// refused.
fn stuffed(content: &[u8]) -> Result<Vec<u8>, Fault> {
    let mut stuffed = Vec::with_capacity(content.len() + content.len() / 64 + 2);
    let mut last_two = *b"\r\n";
    for &byte in content {
        if (byte == b'\n') != (last_two[1] == b'\r') {
            return Err(Fault::Message("it has line ends other than CR LF"));
        }
        if byte == b'.' && last_two == *b"\r\n" {
            stuffed.push(b'.');
        }
        stuffed.push(byte);
        last_two = [last_two[1], byte];
    }
    match last_two {
        [_, b'\r'] => Err(Fault::Message("it has line ends other than CR LF")),
        [b'\r', b'\n'] => Ok(stuffed),
        _ => {
            stuffed.extend_from_slice(b"\r\n");
            Ok(stuffed)
        }
    }
}

#[cfg(test)]
mod tests {
    use andon_domain::{CommandKind, NotificationId, SubscriberId};
    use lettre::address::Envelope;
    use uuid::Uuid;

    use super::*;

    fn mail(sender: &str, recipients: &[&str], content: &str) -> Mail {
        let to = recipients.iter().map(|address| address.parse().unwrap()).collect();
        Mail {
            notification_id: NotificationId(Uuid::nil()),
            subscriber_id: SubscriberId(Uuid::nil()),
            kind: CommandKind::Down,
            created_at: 0,
            envelope: Envelope::new(Some(sender.parse().unwrap()), to).unwrap(),
            content: content.as_bytes().to_owned(),
        }
    }

    #[test]
    fn dots_at_the_start_of_a_line_are_doubled_and_the_last_line_ends() {
        let rows = [
            ("", ""),
            ("a\r\n", "a\r\n"),
            ("a", "a\r\n"),
            (".", "..\r\n"),
            ("a\r\n.\r\nb.c\r\n", "a\r\n..\r\nb.c\r\n"),
            ("..a\r\n", "...a\r\n"),
        ];
        for (content, wanted) in rows {
            let got = stuffed(content.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(got).unwrap(), wanted, "{content:?}");
        }
        for content in ["a\nb", "\n.\n", "a\rb", "a\r", "a\r\r\n", "\n", "a\r\n\n"] {
            assert!(matches!(stuffed(content.as_bytes()), Err(Fault::Message(_))), "{content:?}");
        }
    }

    #[test]
    fn letters_outside_ascii_ask_for_what_they_need() {
        #[rustfmt::skip]
        let rows = [
            ("a@b.example", "c@d.example", "plain\r\n", "MAIL FROM:<a@b.example>"),
            ("a@b.example", "c@d.example", "español\r\n", "MAIL FROM:<a@b.example> BODY=8BITMIME"),
            ("a@b.example", "josé@d.example", "plain\r\n", "MAIL FROM:<a@b.example> BODY=8BITMIME SMTPUTF8"),
            ("ñ@b.example", "c@d.example", "plain\r\n", "MAIL FROM:<ñ@b.example> BODY=8BITMIME SMTPUTF8"),
        ];
        for (sender, recipient, content, wanted) in rows {
            let mail = mail(sender, &[recipient], content);
            let parcel = Parcel::pack(&mail).ok().unwrap();
            assert_eq!(parcel.mail_from(), wanted);
            assert_eq!(parcel.rcpt_to(), format!("RCPT TO:<{recipient}>"));
        }
    }

    #[test]
    fn a_message_has_one_recipient_whose_address_a_command_can_hold() {
        for recipients in [&["a@b.example", "c@d.example"][..], &["\"a>b\"@c.example"]] {
            let mail = mail("a@b.example", recipients, "");
            assert!(matches!(Parcel::pack(&mail), Err(Fault::Message(_))), "{recipients:?}");
        }
    }
}
