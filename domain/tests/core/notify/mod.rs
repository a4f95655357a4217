//! Tables for telling: who is told what, and how each opening is closed.

mod closing;
mod directory;
mod lessons;
mod opening;
mod telling;
