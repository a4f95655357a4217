//! The set of accepted events that can still be revised, in the order that rules.

use std::cmp::Ordering;
use std::collections::VecDeque;

use crate::{LineStatus, Millis, Text};

/// An accepted status change. 48 bytes: a line that repeats itself every second holds hundreds of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) at: Millis,
    pub(crate) id: u128,
    sequence: i64,
    pub(crate) notes: Option<Box<Notes>>,
    pub(crate) status: LineStatus,
    has_sequence: bool,
}

/// What few events carry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Notes {
    pub(crate) reason_code: Text,
    pub(crate) source: Text,
    pub(crate) source_status: Text,
}

static NO_TEXT: Text = None;

impl Event {
    pub(crate) fn new(at: Millis, id: u128, sequence: Option<i64>, status: LineStatus, notes: Notes) -> Self {
        let notes = if notes == Notes::default() { None } else { Some(Box::new(notes)) };
        let (has_sequence, sequence) = (sequence.is_some(), sequence.unwrap_or(0));
        Self { at, id, sequence, notes, status, has_sequence }
    }

    pub(crate) fn sequence(&self) -> Option<i64> {
        self.has_sequence.then_some(self.sequence)
    }

    pub(crate) fn reason_code(&self) -> &Text {
        self.notes.as_ref().map_or(&NO_TEXT, |notes| &notes.reason_code)
    }

    pub(crate) fn source_status(&self) -> &Text {
        self.notes.as_ref().map_or(&NO_TEXT, |notes| &notes.source_status)
    }
}

impl PartialOrd for Event {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Event {
    /// Time, then sequence with none first, then id as 16 bytes, then content: a total order that no arrival
    /// order can change.
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.has_sequence, self.sequence, self.id)
            .cmp(&(other.at, other.has_sequence, other.sequence, other.id))
            .then_with(|| (self.status, &self.notes).cmp(&(other.status, &other.notes)))
    }
}

/// Beyond so many events, looking for one id reads a list of fingerprints instead of the events.
const SCAN_MAX: usize = 32;

/// The events later than the watermark, ordered.
#[derive(Debug, Clone, Default)]
pub(crate) struct EventSet {
    events: VecDeque<Event>,
    /// The low halves of the ids, in the events' order; kept only for large sets.
    #[expect(clippy::box_collection, reason = "few lines have one, and every line has the pointer")]
    fingerprints: Option<Box<VecDeque<u32>>>,
}

/// Where an event belongs in the set.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// It is there already.
    Duplicate,
    /// At this index; `is_conflicting` if its id stands in the set with other content.
    At { index: usize, is_conflicting: bool },
}

#[expect(clippy::cast_possible_truncation, reason = "a fingerprint is meant to be a part of the id")]
fn fingerprint(id: u128) -> u32 {
    (id as u32) ^ ((id >> 64) as u32)
}

/// Whether the list has that fingerprint. A block is looked at whole, so that the compiler compares many at a time.
fn holds(list: &[u32], wanted: u32) -> bool {
    list.chunks(64).any(|block| block.iter().fold(false, |found, one| found | (*one == wanted)))
}

impl EventSet {
    pub(crate) fn len(&self) -> usize {
        self.events.len()
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &Event> {
        self.events.iter()
    }

    pub(crate) fn front(&self) -> Option<&Event> {
        self.events.front()
    }

    pub(crate) fn back(&self) -> Option<&Event> {
        self.events.back()
    }

    /// The event time of the `n`th newest event, counted from 1.
    pub(crate) fn nth_newest_at(&self, n: usize) -> Option<Millis> {
        self.events.len().checked_sub(n).map(|index| self.events[index].at)
    }

    pub(crate) fn place(&self, event: &Event) -> Place {
        let index = match self.events.back() {
            Some(last) if last.at >= event.at => match self.events.binary_search(event) {
                Ok(_) => return Place::Duplicate,
                Err(index) => index,
            },
            Some(_) | None => self.events.len(),
        };
        Place::At { index, is_conflicting: self.has_id(event.id) }
    }

    fn has_id(&self, id: u128) -> bool {
        if let Some(list) = &self.fingerprints {
            let wanted = fingerprint(id);
            let (front, back) = list.as_slices();
            if !holds(front, wanted) && !holds(back, wanted) {
                return false;
            }
        }
        self.events.iter().any(|event| event.id == id)
    }

    pub(crate) fn insert(&mut self, index: usize, event: Event) {
        if self.events.len() == self.events.capacity() && self.events.len() < 4 {
            self.events.reserve_exact(1); // most lines at rest hold one event: do not reserve for four
        }
        if let Some(list) = &mut self.fingerprints {
            list.insert(index, fingerprint(event.id));
        }
        self.events.insert(index, event);
        if self.fingerprints.is_none() && self.events.len() > SCAN_MAX {
            self.fingerprints =
                Some(Box::new(self.events.iter().map(|event| fingerprint(event.id)).collect()));
        }
    }

    pub(crate) fn pop_front(&mut self) -> Option<Event> {
        if let Some(list) = &mut self.fingerprints {
            list.pop_front();
        }
        let event = self.events.pop_front();
        if self.events.len() <= SCAN_MAX / 4 && self.fingerprints.take().is_some() {
            self.events.shrink_to_fit();
        }
        event
    }

    /// Bytes on the heap, allocated or used, notes not counted.
    pub(crate) fn heap_bytes(&self) -> usize {
        self.events.capacity() * size_of::<Event>()
            + self.fingerprints.as_ref().map_or(0, |list| 32 + 4 * list.capacity())
    }
}
