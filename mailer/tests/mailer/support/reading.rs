//! A message as a mail program reads it: by a parser that is not ours.

use mail_parser::{Message, MessageParser, MimeHeaders};

/// What a reader is shown.
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) html: String,
}

/// Reads a message; fails unless it is an alternative of one text and one HTML, in this order, and nothing else.
pub(crate) fn read(content: &[u8]) -> Read {
    let message = parsed(content);
    let of = |at: usize| {
        let part = &message.parts[at];
        let kind = part.content_type().unwrap();
        assert_eq!(kind.attribute("charset").map(str::to_ascii_lowercase), Some("utf-8".to_owned()));
        (format!("{}/{}", kind.ctype(), kind.subtype().unwrap()), part.text_contents().unwrap().to_owned())
    };
    let root = message.root_part().content_type().unwrap();
    assert_eq!((root.ctype(), root.subtype()), ("multipart", Some("alternative")));
    assert_eq!(message.root_part().sub_parts().unwrap(), [1, 2], "{message:?}");
    assert_eq!(message.parts.len(), 3);
    assert_eq!(message.attachment_count(), 0);
    let ((text_kind, text), (html_kind, html)) = (of(1), of(2));
    assert_eq!((text_kind.as_str(), html_kind.as_str()), ("text/plain", "text/html"));
    let plain = |body: String| body.replace("\r\n", "\n");
    Read { text: plain(text), html: plain(html) }
}

pub(crate) fn parsed(content: &[u8]) -> Message<'_> {
    MessageParser::default().parse(content).unwrap()
}
