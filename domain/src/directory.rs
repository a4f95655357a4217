//! What operators and planners said: lines with their settings, and subscriptions. No personal data.

use std::collections::{BTreeMap, BTreeSet};

use crate::{DowntimeClass, LineId, Millis, SubscriberId, SubscriptionId};

/// A registered line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LineEntry {
    /// The nodes above the line, from the top; the line itself is the last one.
    pub path: Vec<String>,
    /// Its settings; what is none takes the default.
    pub settings: LineSettings,
    /// Whether the line is retired: its incident is closed and it opens none.
    pub is_retired: bool,
}

/// Settings of one line. None takes the default of [`crate::FoldConfig`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LineSettings {
    /// How far events may be out of order, in ms of event time.
    pub allowed_lateness_ms: Option<i64>,
    /// Bound of the set of events that can still be revised.
    pub events_max: Option<u32>,
    /// Whether `DEGRADED` counts as down.
    pub degraded_is_down: Option<bool>,
    /// The longest time between two signals of a line that is alive, in ms; none: the line may be silent.
    pub expect_signal_every_ms: Option<i64>,
}

/// One subscriber following one node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    /// Identity: UUIDv5 of subscriber and node.
    pub id: SubscriptionId,
    /// Who.
    pub subscriber_id: SubscriberId,
    /// A node of the tree (`site/area`), or a line id.
    pub node: String,
    /// Tell only once a stop has lasted this long, in ms; 0: at once.
    pub notify_after_ms: i64,
    /// Tell only of this class; none: of every class.
    pub class: Option<DowntimeClass>,
    /// When it was first made; an edit leaves it.
    pub created_at: Millis,
}

/// One change of the directory. The key of its record is `line/…` or `subscription/…`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DirectoryChange {
    /// A line was registered or edited.
    Line(LineId, LineEntry),
    /// A line's entry was removed: it has default settings again.
    LineRemoved(LineId),
    /// A subscription was made or edited.
    Subscription(Subscription),
    /// A subscription was ended.
    SubscriptionRemoved(SubscriptionId),
}

/// The directory as of one offset of its topic: a value that the core reads and never changes by itself.
#[derive(Debug, Clone, Default)]
pub struct Directory {
    lines: BTreeMap<LineId, LineEntry>,
    subscriptions: BTreeMap<SubscriptionId, Subscription>,
    by_node: BTreeMap<String, BTreeSet<SubscriptionId>>,
}

impl Directory {
    /// Takes in one change.
    pub fn apply(&mut self, change: DirectoryChange) {
        match change {
            DirectoryChange::Line(line, entry) => {
                self.lines.insert(line, entry);
            }
            DirectoryChange::LineRemoved(line) => {
                self.lines.remove(&line);
            }
            DirectoryChange::Subscription(subscription) => {
                self.remove_subscription(subscription.id);
                self.by_node.entry(subscription.node.clone()).or_default().insert(subscription.id);
                self.subscriptions.insert(subscription.id, subscription);
            }
            DirectoryChange::SubscriptionRemoved(id) => self.remove_subscription(id),
        }
    }

    fn remove_subscription(&mut self, id: SubscriptionId) {
        if let Some(old) = self.subscriptions.remove(&id)
            && let Some(ids) = self.by_node.get_mut(&old.node)
        {
            ids.remove(&id);
            if ids.is_empty() {
                self.by_node.remove(&old.node);
            }
        }
    }

    /// The entry of a line, if it is registered.
    pub fn line(&self, line: &LineId) -> Option<&LineEntry> {
        self.lines.get(line)
    }

    /// Every registered line, ordered.
    pub fn lines(&self) -> impl Iterator<Item = (&LineId, &LineEntry)> {
        self.lines.iter()
    }

    /// The subscription of that id, if it stands.
    pub fn subscription(&self, id: SubscriptionId) -> Option<&Subscription> {
        self.subscriptions.get(&id)
    }

    /// Every subscription, ordered by id.
    pub fn subscriptions(&self) -> impl Iterator<Item = &Subscription> {
        self.subscriptions.values()
    }

    /// The subscriptions over a line, ordered by id: those of the line itself and of every node above it.
    pub fn covering(&self, line: &LineId) -> Vec<&Subscription> {
        if self.by_node.is_empty() {
            return Vec::new();
        }
        let mut ids: BTreeSet<SubscriptionId> = BTreeSet::new();
        let mut take = |node: &str| ids.extend(self.by_node.get(node).into_iter().flatten().copied());
        take(line.as_str());
        if let Some(entry) = self.lines.get(line) {
            let mut node = String::new();
            for name in &entry.path {
                if !node.is_empty() {
                    node.push('/');
                }
                node.push_str(name);
                take(&node);
            }
        }
        ids.iter().filter_map(|id| self.subscriptions.get(id)).collect()
    }
}
