//! Facts that do not fit a dialogue.
