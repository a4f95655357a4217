//! Who has which partition. A partition has one owner at a time; it moves when workers come and go, and by faults.
//!
//! ```text
//!   free --> Assigned --start--> Started --\
//!    ^           \------------------+-------+--> Revoking --release--> free
//!    |                              |
//!    \--- (the loser is told Lost) -/
//! ```
//!
//! A loser cannot get the partition back before it has answered.

use std::collections::{BTreeMap, BTreeSet};

use super::faults::Random;
use crate::{Offset, Partition};

/// Number of a worker, from 1 in the order in which they were made.
pub(super) type Number = u64;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// To be told until it is started.
    Assigned,
    /// Read from this offset.
    Started(Offset),
    /// To be told until it is released.
    Revoking,
}

#[derive(Debug, Clone, Copy)]
struct Owner {
    worker: Number,
    phase: Phase,
}

/// What a worker has to be told before anything else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum News {
    Assigned(Vec<Partition>),
    Revoking(Vec<Partition>),
    Lost(Vec<Partition>),
}

#[derive(Debug, Default)]
struct Member {
    /// Taken away, and not answered yet.
    lost: BTreeSet<Partition>,
    /// What `release` answers.
    told: Vec<Partition>,
    /// How many reads there were: each begins at another partition.
    turns: usize,
}

#[derive(Debug)]
pub(super) struct Group {
    partitions: u32,
    made: Number,
    members: BTreeMap<Number, Member>,
    owners: BTreeMap<Partition, Owner>,
    /// Partition p is for the worker in place `(p + shift) mod workers`; faults change it.
    shift: BTreeMap<Partition, usize>,
}

impl Group {
    pub(super) fn new(partitions: u32) -> Self {
        let (members, owners, shift) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        Self { partitions, made: 0, members, owners, shift }
    }

    pub(super) fn join(&mut self) -> Number {
        self.made += 1;
        self.members.insert(self.made, Member::default());
        self.rebalance();
        self.made
    }

    /// A worker is gone, whether it wanted to be or not.
    pub(super) fn leave(&mut self, worker: Number) {
        if self.members.remove(&worker).is_some() {
            self.owners.retain(|_, owner| owner.worker != worker);
            self.rebalance();
        }
    }

    pub(super) fn is_member(&self, worker: Number) -> bool {
        self.members.contains_key(&worker)
    }

    /// Revokes what is not where it should be, and assigns what is free.
    fn rebalance(&mut self) {
        let members: Vec<Number> = self.members.keys().copied().collect();
        for partition in 0..self.partitions {
            let shift = self.shift.get(&partition).copied().unwrap_or(0);
            let Some(place) = (partition as usize + shift).checked_rem(members.len()) else { return };
            let target = members[place];
            match self.owners.get_mut(&partition) {
                Some(owner) if owner.worker != target => owner.phase = Phase::Revoking,
                Some(_) => {}
                None if self.members[&target].lost.contains(&partition) => {}
                None => {
                    self.owners.insert(partition, Owner { worker: target, phase: Phase::Assigned });
                }
            }
        }
    }

    /// What `worker` has to be told. It repeats until it is answered.
    pub(super) fn news(&mut self, worker: Number) -> Option<News> {
        let owned_in = |owners: &BTreeMap<Partition, Owner>, phase: Phase| -> Vec<Partition> {
            owners
                .iter()
                .filter(|(_, owner)| owner.worker == worker && owner.phase == phase)
                .map(|(partition, _)| *partition)
                .collect()
        };
        let (revoking, assigned) =
            (owned_in(&self.owners, Phase::Revoking), owned_in(&self.owners, Phase::Assigned));
        let member = self.members.get_mut(&worker)?;
        let lost: Vec<Partition> = member.lost.iter().copied().collect();
        if !lost.is_empty() {
            member.told.clone_from(&lost);
            return Some(News::Lost(lost));
        }
        if !revoking.is_empty() {
            member.told.clone_from(&revoking);
            return Some(News::Revoking(revoking));
        }
        member.told.clear();
        (!assigned.is_empty()).then_some(News::Assigned(assigned))
    }

    /// The worker has dropped what it was told to.
    pub(super) fn release(&mut self, worker: Number) {
        let Some(member) = self.members.get_mut(&worker) else { return };
        for partition in std::mem::take(&mut member.told) {
            if !member.lost.remove(&partition)
                && self.owners.get(&partition).is_some_and(|owner| owner.worker == worker)
            {
                self.owners.remove(&partition);
            }
        }
        self.rebalance();
    }

    pub(super) fn owns(&self, worker: Number, partition: Partition) -> bool {
        self.owners.get(&partition).is_some_and(|owner| owner.worker == worker)
    }

    /// Whether the worker may believe that it has the partition: it lost it and does not know.
    pub(super) fn believes_to_own(&self, worker: Number, partition: Partition) -> bool {
        self.owns(worker, partition)
            || self.members.get(&worker).is_some_and(|member| member.lost.contains(&partition))
    }

    /// Reading begins, or begins again, at `from`.
    pub(super) fn start(&mut self, worker: Number, partition: Partition, from: Offset) {
        if let Some(owner) = self.owners.get_mut(&partition)
            && owner.worker == worker
            && owner.phase != Phase::Revoking
        {
            owner.phase = Phase::Started(from);
        }
    }

    /// The partitions that the worker reads, each with its next offset.
    pub(super) fn started(&self, worker: Number) -> Vec<(Partition, Offset)> {
        let started = |(partition, owner): (&Partition, &Owner)| match owner.phase {
            Phase::Started(next) if owner.worker == worker => Some((*partition, next)),
            Phase::Started(_) | Phase::Assigned | Phase::Revoking => None,
        };
        self.owners.iter().filter_map(started).collect()
    }

    /// Counts the worker's reads. The count is its own: with one for all, workers that take turns would each come
    /// back to the same partition for ever.
    pub(super) fn next_turn(&mut self, worker: Number) -> usize {
        let Some(member) = self.members.get_mut(&worker) else { return 0 };
        member.turns += 1;
        member.turns
    }

    /// Stops reading what the worker has: its partitions are to be started anew.
    pub(super) fn stop_reading(&mut self, worker: Number) {
        let started = |owner: &&mut Owner| owner.worker == worker && owner.phase != Phase::Revoking;
        self.owners.values_mut().filter(started).for_each(|owner| owner.phase = Phase::Assigned);
    }

    /// Takes everything from a worker at once.
    pub(super) fn lose_all(&mut self, worker: Number) {
        let owned: Vec<Partition> =
            (0..self.partitions).filter(|partition| self.owns(worker, *partition)).collect();
        owned.into_iter().for_each(|partition| self.lose(partition));
        self.rebalance();
    }

    /// A fault: everything is taken from a worker at once, and it is not told; any worker gets it.
    pub(super) fn forget_all(&mut self, worker: Number, random: &mut Random) {
        for partition in
            (0..self.partitions).filter(|partition| self.owns(worker, *partition)).collect::<Vec<_>>()
        {
            self.shift.insert(partition, random.below(self.members.len()));
            self.owners.remove(&partition);
        }
        self.rebalance();
    }

    fn lose(&mut self, partition: Partition) {
        let Some(owner) = self.owners.remove(&partition) else { return };
        if let Some(member) = self.members.get_mut(&owner.worker) {
            member.lost.insert(partition);
        }
    }

    /// A fault: some partition is taken from its owner at once; any worker gets it.
    pub(super) fn lose_any(&mut self, random: &mut Random) {
        let owned: Vec<Partition> = self.owners.keys().copied().collect();
        if let Some(partition) = random.pick(&owned) {
            self.shift.insert(partition, random.below(self.members.len()));
            self.lose(partition);
            self.rebalance();
        }
    }

    /// A fault: some partition is to be handed over; any worker gets it.
    pub(super) fn revoke_any(&mut self, random: &mut Random) {
        let owned: Vec<Partition> = self.owners.keys().copied().collect();
        if let Some(partition) = random.pick(&owned) {
            self.shift.insert(partition, random.below(self.members.len()));
            if let Some(owner) = self.owners.get_mut(&partition) {
                owner.phase = Phase::Revoking;
            }
            self.rebalance();
        }
    }
}
