//! A table for the terminal: columns as wide as their cells, and the least important ones left out where there is no room.

use std::borrow::Cow;

use anstyle::Style;

use super::paint::HEAD;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// A column: its head, and how dearly it is kept when the terminal is narrow (0 is kept always).
#[derive(Clone, Debug)]
pub struct Column {
    pub head: &'static str,
    pub align: Align,
    /// Columns with the highest number go first.
    pub spare: u8,
    /// Words that may be cut short before any column goes.
    pub words: bool,
}

impl Column {
    pub fn left(head: &'static str, spare: u8) -> Column {
        Column { head, align: Align::Left, spare, words: false }
    }

    /// A last column of words.
    pub fn words(head: &'static str, spare: u8) -> Column {
        Column { words: true, ..Column::left(head, spare) }
    }

    pub fn right(head: &'static str, spare: u8) -> Column {
        Column { head, align: Align::Right, spare, words: false }
    }
}

#[derive(Clone, Debug)]
pub struct Cell {
    pub text: String,
    pub style: Style,
}

impl Cell {
    pub fn plain(text: impl ToString) -> Cell {
        Cell { text: text.to_string(), style: Style::new() }
    }

    pub fn styled(text: impl ToString, style: Style) -> Cell {
        Cell { text: text.to_string(), style }
    }

    fn width(&self) -> usize {
        self.text.chars().count()
    }
}

/// Columns and rows.
#[derive(Clone, Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<Cell>>,
}

const BETWEEN: usize = 2;

impl Table {
    pub fn new(columns: Vec<Column>) -> Table {
        Table { columns, rows: Vec::new() }
    }

    /// One cell for each column.
    pub fn row(&mut self, cells: Vec<Cell>) {
        self.rows.push(cells);
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The lines of the table, in at most `width` characters as far as columns can be spared.
    pub(super) fn lines(&self, width: usize) -> Vec<String> {
        let cell_width = |row: &Vec<Cell>, place: usize| row.get(place).map_or(0, Cell::width);
        let mut widths: Vec<usize> = self
            .columns
            .iter()
            .enumerate()
            .map(|(place, column)| {
                let cells = self.rows.iter().map(|row| cell_width(row, place)).max().unwrap_or(0);
                column.head.chars().count().max(cells)
            })
            .collect();
        self.cut_words(&mut widths, width);
        let shown = self.that_fit(&widths, width);
        let heads = self.columns.iter().map(|column| Cell::styled(column.head, HEAD)).collect::<Vec<_>>();
        std::iter::once(&heads).chain(&self.rows).map(|row| self.render(row, &widths, &shown)).collect()
    }

    /// Gives words the room that the other columns leave, as far as that is enough to read them.
    fn cut_words(&self, widths: &mut [usize], width: usize) {
        const READABLE: usize = 16;
        let Some(place) = self.columns.iter().position(|column| column.words) else { return };
        let others: usize =
            widths.iter().enumerate().filter(|(at, _)| *at != place).map(|(_, w)| w + BETWEEN).sum();
        widths[place] = widths[place].min(width.saturating_sub(others).max(READABLE));
    }

    /// Places of the columns that are shown.
    fn that_fit(&self, widths: &[usize], width: usize) -> Vec<usize> {
        // A column without a single cell says nothing.
        let used = |place: usize| self.rows.iter().any(|row| row.get(place).is_some_and(|c| c.width() > 0));
        let mut shown: Vec<usize> = (0..self.columns.len()).filter(|place| used(*place)).collect();
        loop {
            let taken: usize = shown.iter().map(|place| widths[*place] + BETWEEN).sum();
            let worst = shown.iter().copied().max_by_key(|place| self.columns[*place].spare);
            match worst.filter(|place| self.columns[*place].spare > 0) {
                Some(worst) if taken > width + BETWEEN => shown.retain(|place| *place != worst),
                _ => return shown,
            }
        }
    }

    fn render(&self, row: &[Cell], widths: &[usize], shown: &[usize]) -> String {
        // Spaces are written only once something follows them: no line ends in spaces.
        let (mut line, mut spaces) = (String::new(), 0);
        for place in shown {
            let Some(cell) = row.get(*place) else { continue };
            let fill = widths[*place].saturating_sub(cell.width());
            let right = self.columns[*place].align == Align::Right;
            if right {
                spaces += fill;
            }
            if !cell.text.is_empty() {
                let style = cell.style;
                let text = shortened(&cell.text, widths[*place]);
                line += &format!("{:spaces$}{style}{text}{style:#}", "");
                spaces = 0;
            }
            spaces += BETWEEN + if right { 0 } else { fill };
        }
        line
    }
}

/// A text in at most so many characters.
fn shortened(text: &str, room: usize) -> Cow<'_, str> {
    if text.chars().count() <= room {
        return text.into();
    }
    text.chars().take(room.saturating_sub(1)).chain(['…']).collect::<String>().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table =
            Table::new(vec![Column::right("baud", 0), Column::left("format", 1), Column::left("bar", 2)]);
        table.row(vec![Cell::plain(9600), Cell::plain("8N1"), Cell::plain("#########")]);
        table.row(vec![Cell::plain(115_200), Cell::plain("8E1"), Cell::plain("#")]);
        table
    }

    fn shown(width: usize) -> Vec<String> {
        let lines = table().lines(width);
        let plain = lines.iter().map(|line| anstream::adapter::strip_str(line).to_string());
        plain.map(|line| line.trim_end().into()).collect()
    }

    #[test]
    fn columns_are_as_wide_as_their_cells() {
        assert_eq!(shown(80), ["  baud  format  bar", "  9600  8N1     #########", "115200  8E1     #"]);
    }

    #[test]
    fn a_narrow_terminal_loses_the_least_important_columns_first() {
        assert_eq!(shown(20)[1], "  9600  8N1");
        assert_eq!(shown(5)[1], "  9600");
    }

    #[test]
    fn words_are_cut_short_before_a_column_goes() {
        let mut table = Table::new(vec![Column::left("name", 0), Column::words("what", 1)]);
        table.row(vec![Cell::plain("mbus"), Cell::plain("heat, water, gas and electricity meters")]);
        let lines = table.lines(26);
        assert_eq!(anstream::adapter::strip_str(&lines[1]).to_string(), "mbus  heat, water, gas an…");
    }
}
