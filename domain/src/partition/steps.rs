//! Steps: a line's timeline changes, its incident is judged, and what changed gets a version. A record makes one, a
//! deadline that passes, a change of the directory.

use std::sync::Arc;

use super::Partition;
use crate::config::Rules;
use crate::incident::{Scene, judge};
use crate::line::Line;
use crate::{Directory, IntervalChange, LineId, LineSettings, Millis};

/// What a step did to its line before anybody judges it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Did {
    /// Nothing happened: it was no step.
    Nothing,
    /// Time went on or the directory changed: the incident is looked at, and the line itself is as it was.
    Look,
    /// The line's state changed.
    Change,
}

impl Partition {
    /// One step of one line at log time `now`: `act` changes the timeline, then incidents are judged, then what
    /// changed gets a version.
    pub(super) fn step(
        &mut self,
        index: u32,
        now: Millis,
        directory: &Directory,
        directory_changed: bool,
        act: impl FnOnce(&mut Line, &mut Vec<IntervalChange>) -> Did,
    ) {
        let line = &mut self.lines[index as usize];
        let before = line.row_key();
        let did = act(line, &mut self.scratch);
        if did == Did::Nothing {
            return;
        }
        let version = line.version.saturating_add(1).max(now.saturating_mul(1000));
        let had_incident = line.incident.is_some();
        let scene = Scene {
            line_id: &line.id,
            timeline: &line.timeline,
            degraded_is_down: line.rules.degraded_is_down,
            is_retired: line.is_retired,
            now,
            version,
            notify_age_ms_max: self.config.notify_age_ms_max,
            directory,
            directory_changed,
        };
        let noticed = judge(&mut line.incident, &scene, &mut self.commands);
        if did == Did::Look && !noticed.is_changed {
            self.queue(index); // a storm of incidents is not written again for each subscription that changes
            return;
        }
        let seen_moved = line.last_seen_at.saturating_sub(line.published_seen_at) >= Line::SEEN_RESOLUTION_MS;
        if !self.scratch.is_empty() || noticed.is_changed || seen_moved || before != line.row_key() {
            line.version = version;
            line.published_seen_at = line.last_seen_at;
            line.published_event_at = line.timeline.newest_at;
            line.is_to_publish = true;
        }
        self.changes.extend(self.scratch.drain(..).map(|change| (index, version, change)));
        line.is_told_dirty |= noticed.told_changed;
        if !line.is_dirty {
            line.is_dirty = true;
            self.dirty.push(index);
        }
        if had_incident != line.incident.is_some() {
            if had_incident {
                self.incidents.remove(&index);
            } else {
                self.incidents.insert(index);
            }
        }
        self.queue(index);
    }

    /// Fires every deadline up to `until`, each at its own log time.
    pub(super) fn fire_until(&mut self, until: Millis, directory: &Directory) {
        while self.wheel.first().is_some_and(|(deadline, _)| *deadline <= until) {
            let Some((queued_at, id)) = self.wheel.pop_first() else { return };
            let index = self.find(id.as_str()).expect("only lines are queued");
            let line = &mut self.lines[index as usize];
            line.queued_at = Millis::MAX;
            let deadline = line.deadline();
            if deadline > queued_at {
                self.queue(index); // it moved since it was queued
                continue;
            }
            self.log_time = self.log_time.max(deadline);
            self.step(index, deadline, directory, false, |line, changes| {
                if line.timeline.silence_deadline(&line.rules).is_some_and(|silence| silence <= deadline) {
                    line.timeline.fall_silent(&line.rules, changes);
                    return Did::Change;
                }
                Did::Look
            });
        }
    }

    /// Puts the line's next deadline into the wheel, unless an earlier look at it is due anyway.
    pub(crate) fn queue(&mut self, index: u32) {
        let line = &mut self.lines[index as usize];
        let deadline = line.deadline();
        if deadline < line.queued_at {
            if line.queued_at < Millis::MAX {
                self.wheel.remove(&(line.queued_at, line.id.clone()));
            }
            line.queued_at = deadline;
            self.wheel.insert((deadline, line.id.clone()));
        }
    }

    /// Copies the settings that hold now into a line's state, by an ordinary step, and reconciles its incident.
    pub(super) fn apply_settings(&mut self, index: u32, directory: &Directory) {
        let id = self.lines[index as usize].id.clone();
        let (rules, is_retired) = self.settings_of(&id, directory);
        let line = &self.lines[index as usize];
        let same_rules = *line.rules == *rules;
        let is_same = same_rules && line.is_retired == is_retired;
        if is_same && line.incident.is_none() {
            return;
        }
        let log_time = self.log_time;
        self.step(index, log_time, directory, true, |line, changes| {
            if !same_rules {
                let old = std::mem::replace(&mut line.rules, rules);
                line.timeline.change_rules(&old, &line.rules, log_time, changes);
            }
            line.is_retired = is_retired;
            if is_same { Did::Look } else { Did::Change }
        });
    }

    pub(crate) fn settings_of(&self, line: &LineId, directory: &Directory) -> (Arc<Rules>, bool) {
        match directory.line(line) {
            None => (self.default_rules.clone(), false),
            Some(entry) if entry.settings == LineSettings::default() => {
                (self.default_rules.clone(), entry.is_retired)
            }
            Some(entry) => (Arc::new(self.config.rules(&entry.settings)), entry.is_retired),
        }
    }
}
