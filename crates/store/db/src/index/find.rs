//! Where the rows of a search may be: conditions on row numbers, newest blocks first.

use std::collections::{BTreeMap, VecDeque};

use base_model::Timestamp;
use sea_orm::Value;

use super::Needles;
use super::block::{self, BLOCK_ROWS, GROUP_ROWS, Groups};
use crate::logs::LogQuery;
use crate::sql::{self, Bind as _, Column as _, args};
use crate::{Db, DbError, counters};

/// Rows that are named one by one in a condition.
const NAMED: usize = 256;
/// A block with more groups than this is read as a whole: naming its rows would cost more.
const DENSE: u32 = 96;
/// Most blocks that are looked up at a time. The first few go alone, because a common word needs no
/// more.
const AHEAD: (usize, usize) = (2, 64);
/// With more rows than this above the indexed ones, as after an upgrade, the index is left out.
const MOST_ABOVE: u64 = 64 * BLOCK_ROWS;

/// A part of the log, to be searched.
pub(crate) struct Candidates {
    /// Begins with ` AND `.
    pub(crate) condition: String,
    pub(crate) args: Vec<Value>,
    /// The latest time that a row of the remaining parts can have; `None` when none remain.
    pub(crate) rest: Option<Timestamp>,
}

/// Goes through the parts of the log where a search may find something.
pub(crate) struct Finder<'a> {
    db: &'a Db,
    slots: Vec<u16>,
    /// Blocks to look up, with the time of their newest row, in descending order of it.
    blocks: VecDeque<(u64, Timestamp)>,
    ahead: usize,
    ready: VecDeque<Candidates>,
}

impl<'a> Finder<'a> {
    /// `None` when the index does not help.
    pub(crate) async fn new(
        db: &'a Db,
        query: &LogQuery,
        needles: &Needles,
    ) -> Result<Option<Self>, DbError> {
        let slots = needles.slots();
        if slots.is_empty() {
            return Ok(None);
        }
        let position = counters::read(db, counters::LOG_INDEX).await?;
        let newest = counters::read(db, counters::LOGS).await?;
        if position == 0 || newest.saturating_sub(position) > MOST_ABOVE {
            return Ok(None);
        }
        let blocks = blocks(db, query, position / BLOCK_ROWS).await?;
        let above = Candidates {
            condition: " AND `seq`>?".to_owned(),
            args: args![position],
            rest: blocks.front().map(|(_, newest)| *newest),
        };
        Ok(Some(Self { db, slots, blocks, ahead: AHEAD.0, ready: [above].into() }))
    }

    /// The next part; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<Candidates>, DbError> {
        while self.ready.is_empty() && !self.blocks.is_empty() {
            self.look_up().await?;
        }
        Ok(self.ready.pop_front())
    }

    /// Makes candidates of the next blocks.
    async fn look_up(&mut self) -> Result<(), DbError> {
        let some = self.blocks.drain(..self.ahead.min(self.blocks.len())).collect::<Vec<_>>();
        self.ahead = (self.ahead * 2).min(AHEAD.1);
        let pages = self.pages(&some).await?;
        let later = self.blocks.front().copied();
        let following = some.iter().skip(1).copied().map(Some).chain([later]);
        let mut named = Vec::new();
        for (&(block, newest), next) in some.iter().zip(following) {
            let next = next.map(|(_, newest)| newest);
            let groups = self.groups(&pages, block);
            if groups.len() > DENSE {
                self.add_named(&mut named, Some(newest));
                let ends = args![block * BLOCK_ROWS + 1, (block + 1) * BLOCK_ROWS];
                self.add(" AND `seq`>=? AND `seq`<=?".to_owned(), ends, next);
                continue;
            }
            for group in groups.iter() {
                let first = block * BLOCK_ROWS + u64::from(group) * GROUP_ROWS + 1;
                named.extend(first..first + GROUP_ROWS);
                if named.len() >= NAMED {
                    self.add_named(&mut named, Some(newest));
                }
            }
        }
        self.add_named(&mut named, later.map(|(_, newest)| newest));
        Ok(())
    }

    /// The groups of a block that have all slots.
    fn groups(&self, pages: &BTreeMap<u64, Vec<u8>>, block: u64) -> Groups {
        self.slots.iter().fold(Groups::ALL, |groups, slot| {
            let [high, low] = slot.to_be_bytes();
            let page = pages.get(&id(block, high));
            groups.and(page.map_or(Groups::NONE, |page| block::groups(page, low)))
        })
    }

    async fn pages(&self, blocks: &[(u64, Timestamp)]) -> Result<BTreeMap<u64, Vec<u8>>, DbError> {
        let mut highs: Vec<u8> = self.slots.iter().map(|slot| slot.to_be_bytes()[0]).collect();
        highs.dedup();
        let ids = |&(block, _): &(u64, Timestamp)| highs.iter().map(move |high| id(block, *high));
        let mut ids: Vec<u64> = blocks.iter().flat_map(ids).collect();
        ids.sort_unstable();
        let mut pages = BTreeMap::new();
        for chunk in sql::key_chunks(&ids) {
            let (list, args) = numbers(chunk);
            let sql = format!("SELECT `id`,`slots` FROM log_index WHERE `id` IN ({list})");
            for row in sql::raw(self.db.reader(), &sql, args).await? {
                pages.insert(u64::read(&row, 0)?, Vec::read(&row, 1)?);
            }
        }
        Ok(pages)
    }

    fn add(&mut self, condition: String, args: Vec<Value>, rest: Option<Timestamp>) {
        self.ready.push_back(Candidates { condition, args, rest });
    }

    fn add_named(&mut self, seqs: &mut Vec<u64>, rest: Option<Timestamp>) {
        if !seqs.is_empty() {
            let (list, args) = numbers(&std::mem::take(seqs));
            self.add(format!(" AND `seq` IN ({list})"), args, rest);
        }
    }
}

/// Number of a page.
pub(crate) fn id(block: u64, high: u8) -> u64 {
    block * 256 + u64::from(high)
}

/// The first `count` blocks, without those that lie outside the times asked for.
async fn blocks(
    db: &Db,
    query: &LogQuery,
    count: u64,
) -> Result<VecDeque<(u64, Timestamp)>, DbError> {
    let mut sql = "SELECT `block`,`newest` FROM log_index_blocks WHERE `block`<?".to_owned();
    let mut args = args![count];
    if let Some(start) = query.start {
        sql.push_str(" AND `newest`>=?");
        args.extend(args![start]);
    }
    if let Some(end) = query.end {
        sql.push_str(" AND `oldest`<=?");
        args.extend(args![end]);
    }
    sql.push_str(" ORDER BY `newest` DESC");
    let rows = sql::raw(db.reader(), &sql, args).await?;
    let read = |row| Ok((u64::read(row, 0)?, Timestamp::read(row, 1)?));
    Ok(rows.iter().map(read).collect::<Result<_, sea_orm::DbErr>>()?)
}

/// A list of places, and what to bind there. Lists come in few lengths, the last number repeated,
/// so that few distinct statements are prepared.
fn numbers(list: &[u64]) -> (String, Vec<Value>) {
    let length = list.len().next_power_of_two();
    let last = list.last().into_iter().cycle();
    let args = list.iter().chain(last).take(length).map(|number| number.bind()).collect();
    (sql::places(length), args)
}
