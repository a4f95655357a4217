//! What a line can be doing, and what that means. Statuses travel by name, never by number.

/// The status of a line, as a controller reports it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LineStatus {
    /// Nobody knows: no signal, or a word that no vocabulary maps.
    Unknown = 0,
    /// Producing.
    Running = 1,
    /// Producing, but not as it should. Down only where the line's settings say so.
    Degraded = 2,
    /// Available, without an order.
    Idle = 3,
    /// Stopped by an internal condition.
    Stopped = 4,
    /// Stopped by a failure: the line can no longer do what it should.
    Faulted = 5,
    /// Stopped because what it makes has nowhere to go.
    Blocked = 6,
    /// Stopped because nothing comes in.
    Starved = 7,
    /// Stopped as planned.
    PlannedStop = 8,
    /// Being set up for another product.
    Changeover = 9,
    /// A sign of life: whatever the line did before, it still does.
    NoChange = 10,
}

/// What sort of run an interval is. Production is what no interval covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Kind {
    /// The line should produce and does not: a *downtime interval*.
    Down = 0,
    /// The line could produce and has no order.
    Idle = 1,
    /// Nobody knows what the line does.
    Unknown = 2,
}

/// The class of a line's current status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LineClass {
    /// Producing.
    Up,
    /// See [`Kind::Idle`].
    Idle,
    /// See [`Kind::Down`].
    Down,
    /// See [`Kind::Unknown`].
    Unknown,
}

/// The class of a stretch of downtime.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum DowntimeClass {
    /// Meant to be: a planned stop or a changeover.
    Planned = 0,
    /// Everything else.
    Unplanned = 1,
}

/// Where the cause of a stretch of downtime lies.
///
/// `External` is what IEC 60050-192 calls *externally disabled time*, which is no down time of the line itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Cause {
    /// In the line itself.
    Internal,
    /// Before or behind the line: blocked or starved.
    External,
    /// Planned, idle or unknown: nothing caused it.
    None,
}

impl LineStatus {
    /// Every status, in the order of the wire's enum.
    pub const ALL: [Self; 11] = [
        Self::Unknown,
        Self::Running,
        Self::Degraded,
        Self::Idle,
        Self::Stopped,
        Self::Faulted,
        Self::Blocked,
        Self::Starved,
        Self::PlannedStop,
        Self::Changeover,
        Self::NoChange,
    ];

    /// The name on the wire, in the API and in files.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Running => "RUNNING",
            Self::Degraded => "DEGRADED",
            Self::Idle => "IDLE",
            Self::Stopped => "STOPPED",
            Self::Faulted => "FAULTED",
            Self::Blocked => "BLOCKED",
            Self::Starved => "STARVED",
            Self::PlannedStop => "PLANNED_STOP",
            Self::Changeover => "CHANGEOVER",
            Self::NoChange => "NO_CHANGE",
        }
    }

    /// The status of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The status at that place of [`LineStatus::ALL`].
    pub fn from_index(index: usize) -> Option<Self> {
        Self::ALL.get(index).copied()
    }

    /// The sort of run this status makes; none is production. `degraded_is_down` is the line's setting.
    ///
    /// `NO_CHANGE` is no status of its own; asked all the same, it counts as unknown.
    pub const fn kind(self, degraded_is_down: bool) -> Option<Kind> {
        match self {
            Self::Running => None,
            Self::Degraded if !degraded_is_down => None,
            Self::Idle => Some(Kind::Idle),
            Self::Unknown | Self::NoChange => Some(Kind::Unknown),
            Self::Degraded
            | Self::Stopped
            | Self::Faulted
            | Self::Blocked
            | Self::Starved
            | Self::PlannedStop
            | Self::Changeover => Some(Kind::Down),
        }
    }

    /// The class of this status as a line's current one.
    pub const fn line_class(self, degraded_is_down: bool) -> LineClass {
        match self.kind(degraded_is_down) {
            None => LineClass::Up,
            Some(Kind::Down) => LineClass::Down,
            Some(Kind::Idle) => LineClass::Idle,
            Some(Kind::Unknown) => LineClass::Unknown,
        }
    }

    /// The class of this status inside a downtime interval; none for what is never down.
    pub const fn downtime_class(self) -> Option<DowntimeClass> {
        match self {
            Self::PlannedStop | Self::Changeover => Some(DowntimeClass::Planned),
            Self::Degraded | Self::Stopped | Self::Faulted | Self::Blocked | Self::Starved => {
                Some(DowntimeClass::Unplanned)
            }
            Self::Unknown | Self::Running | Self::Idle | Self::NoChange => None,
        }
    }

    /// Where the cause lies while a line is in this status.
    pub const fn cause(self) -> Cause {
        match self {
            Self::Blocked | Self::Starved => Cause::External,
            Self::Degraded | Self::Stopped | Self::Faulted => Cause::Internal,
            Self::Unknown
            | Self::Running
            | Self::Idle
            | Self::PlannedStop
            | Self::Changeover
            | Self::NoChange => Cause::None,
        }
    }
}

impl Kind {
    /// The name in the API and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Down => "down",
            Self::Idle => "idle",
            Self::Unknown => "unknown",
        }
    }

    /// The kind of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Down, Self::Idle, Self::Unknown].into_iter().find(|kind| kind.name() == name)
    }

    /// The kind of that number (its `repr`), if there is one.
    pub fn from_index(index: u8) -> Option<Self> {
        [Self::Down, Self::Idle, Self::Unknown].get(usize::from(index)).copied()
    }
}

impl LineClass {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Up => "up",
            Self::Idle => "idle",
            Self::Down => "down",
            Self::Unknown => "unknown",
        }
    }
}

impl DowntimeClass {
    /// The name in the API and on the wire.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Planned => "planned",
            Self::Unplanned => "unplanned",
        }
    }

    /// The class of that name, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Planned, Self::Unplanned].into_iter().find(|class| class.name() == name)
    }
}

impl Cause {
    /// The name in the API.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
            Self::None => "none",
        }
    }
}
