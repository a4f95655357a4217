//! Log lines of the thread that asks for them. One subscriber for the whole program: with one a test, a line that
//! another thread met first might be lost.

use std::cell::RefCell;
use std::io::{Result, Write};
use std::sync::Once;

thread_local! {
    static LINES: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
}

struct ToThisThread;

impl Write for ToThisThread {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        LINES.with_borrow_mut(|lines| {
            if let Some(lines) = lines {
                lines.extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

/// To be called before anything logs.
pub(crate) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let logs = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_writer(|| ToThisThread)
            .finish();
        tracing::subscriber::set_global_default(logs).unwrap();
    });
}

/// What this thread logs meanwhile.
pub(crate) fn captured(work: impl FnOnce()) -> String {
    LINES.set(Some(Vec::new()));
    work();
    String::from_utf8(LINES.take().unwrap()).unwrap()
}
