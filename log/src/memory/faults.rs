//! What goes wrong, drawn from a seed: the same seed and the same calls give the same faults. Nothing else here is
//! random.

/// What goes wrong in a [`super::MemoryLog`], each as one chance in so many calls; 0 is never.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Faults {
    /// A commit: nothing is written, the answer is Again.
    pub commit_refused: u32,
    /// A commit: all of it is written, the answer is Rebuild.
    pub commit_done_in_doubt: u32,
    /// A commit: nothing is written, the answer is Rebuild.
    pub commit_undone_in_doubt: u32,
    /// A commit: the worker loses all its partitions, nothing is written, the answer is Drop.
    pub commit_dropped: u32,
    /// A commit: as `commit_dropped`, but the worker's poll never says Lost; what it gets back is Assigned at
    /// once.
    pub commit_dropped_untold: u32,
    /// A worker's poll: some partition of some worker is taken away at once and goes to any worker.
    pub partition_lost: u32,
    /// A worker's poll: some partition of some worker is to be handed over to any worker.
    pub partition_revoked: u32,
    /// An append: nothing is written, the answer is [`crate::Error::Full`].
    pub append_refused: u32,
    /// An append: all of it is written, the answer is an error nevertheless.
    pub append_in_doubt: u32,
    /// A poll, a snapshot or a start: it fails and changes nothing.
    pub read_failed: u32,
    /// A worker's poll: Idle, although there may be records.
    pub idle: u32,
    /// A read: it ends after a few records, although there may be more.
    pub short_batch: u32,
    /// A commit or an append: an offset is left out behind it in each partition it wrote to.
    pub gap: u32,
    /// A call of a worker, or the moment after a commit was written: the worker is gone. Its calls answer
    /// [`crate::Error::Closed`] from then on, its partitions go to the others.
    pub crash: u32,
}

impl Faults {
    /// Nothing goes wrong.
    pub const NONE: Self = Self {
        commit_refused: 0,
        commit_done_in_doubt: 0,
        commit_undone_in_doubt: 0,
        commit_dropped: 0,
        commit_dropped_untold: 0,
        partition_lost: 0,
        partition_revoked: 0,
        append_refused: 0,
        append_in_doubt: 0,
        read_failed: 0,
        idle: 0,
        short_batch: 0,
        gap: 0,
        crash: 0,
    };

    /// Everything that a worker and the readers must get over without ending: all but `crash`, `read_failed` and
    /// the two of appends, each once in `one_in` calls.
    pub const fn survivable(one_in: u32) -> Self {
        Self {
            commit_refused: one_in,
            commit_done_in_doubt: one_in,
            commit_undone_in_doubt: one_in,
            commit_dropped: one_in,
            commit_dropped_untold: one_in,
            partition_lost: one_in,
            partition_revoked: one_in,
            idle: one_in,
            short_batch: 2,
            gap: one_in,
            ..Self::NONE
        }
    }
}

/// SplitMix64: small, and the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`, which is at least 1.
    pub(super) fn below(&mut self, bound: usize) -> usize {
        let bound = u64::try_from(bound.max(1)).unwrap_or(u64::MAX);
        usize::try_from(self.next() % bound).expect("it is below a bound that is one")
    }

    /// Whether a fault of this chance happens now. A chance of 0 draws nothing.
    pub(super) fn one_in(&mut self, chance: u32) -> bool {
        chance > 0 && self.next().is_multiple_of(u64::from(chance))
    }

    /// One of these.
    pub(super) fn pick<T: Copy>(&mut self, of: &[T]) -> Option<T> {
        if of.is_empty() { None } else { Some(of[self.below(of.len())]) }
    }
}
