//! Tables in plain text.

/// `rows` under `headers`, each column as wide as it needs; the last is not padded.
pub(crate) fn table(title: &str, headers: &[&str], rows: &[Vec<String>]) -> String {
    let head: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&head]).filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..headers.len()).map(width).collect();
    let rule: Vec<String> = widths.iter().map(|width| "─".repeat(*width)).collect();
    let mut out = format!("{title}\n\n");
    for row in [&head, &rule].into_iter().chain(rows) {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let room = width.saturating_sub(cell.chars().count());
            line.push_str(cell);
            line.push_str(&" ".repeat(room + 2));
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [vec!["é".to_owned(), "long cell".to_owned()], vec!["abc".into(), "x".into()]];
        assert_eq!(
            table("T", &["A", "B"], &rows),
            "T\n\nA    B\n───  ─────────\né    long cell\nabc  x\n"
        );
    }
}
