//! The confusion matrix and the reliability diagram, as SVG.

use std::fmt::Write as _;

use hsdiag::diagnose::Cause;

use super::score::Score;

/// `wire` is the wire that the captures came over, as part of the files' names.
pub fn write(folder: &str, wire: &str, score: &Score) {
    for (name, picture) in [("confusion", confusion(score)), ("reliability", reliability(score))] {
        let path = format!("{folder}/{name}-{wire}-wire.svg");
        match std::fs::write(&path, picture) {
            Ok(()) => println!("{path}"),
            Err(error) => println!("{path}: {error}"),
        }
    }
}

fn confusion(score: &Score) -> String {
    const CELL: usize = 22;
    const LEFT: usize = 150;
    let count = Cause::ALL.len();
    let (width, height) = (LEFT + count * CELL + 20, LEFT + count * CELL + 20);
    let mut svg = head(width, height);
    for (row, truth) in Cause::ALL.into_iter().enumerate() {
        let all: usize = score.confusion.iter().filter(|((t, _), _)| *t == truth).map(|(_, n)| n).sum();
        let y = LEFT + row * CELL;
        let _ =
            writeln!(svg, "<text x='{}' y='{}' text-anchor='end'>{}</text>", LEFT - 6, y + 15, truth.id());
        let x = LEFT + row * CELL + 15;
        let _ =
            writeln!(svg, "<text transform='translate({x},{}) rotate(-90)'>{}</text>", LEFT - 6, truth.id());
        for (column, said) in Cause::ALL.into_iter().enumerate() {
            let part = score.confusion.get(&(truth, said)).copied().unwrap_or(0) as f64 / all.max(1) as f64;
            let colour = if row == column { "#2b7a3d" } else { "#b3261e" };
            let x = LEFT + column * CELL;
            let _ = writeln!(
                svg,
                "<rect x='{x}' y='{y}' width='{}' height='{}' fill='{colour}' fill-opacity='{:.3}' stroke='#8884'/>",
                CELL - 1,
                CELL - 1,
                part.powf(0.6)
            );
            if part >= 0.005 {
                let _ = writeln!(
                    svg,
                    "<text x='{}' y='{}' text-anchor='middle' font-size='8'>{:.0}</text>",
                    x + CELL / 2,
                    y + 14,
                    100.0 * part
                );
            }
        }
    }
    let _ =
        writeln!(svg, "<text x='8' y='16'>true cause (rows), leading cause (columns), per cent</text></svg>");
    svg
}

fn reliability(score: &Score) -> String {
    const SIDE: f64 = 360.0;
    let mut svg = head(440, 430);
    let (x, y) = (|p: f64| 50.0 + SIDE * p, |p: f64| 380.0 - SIDE * p);
    let _ = writeln!(
        svg,
        "<rect x='50' y='20' width='{SIDE}' height='{SIDE}' fill='none' stroke='#888'/>\
         <line x1='{}' y1='{}' x2='{}' y2='{}' stroke='#888' stroke-dasharray='4'/>",
        x(0.0),
        y(0.0),
        x(1.0),
        y(1.0)
    );
    for (sum, right, all) in score.reliability {
        if all == 0 {
            continue;
        }
        let (said, held) = (sum / all as f64, right as f64 / all as f64);
        let radius = 2.0 + (all as f64).ln();
        let _ = writeln!(
            svg,
            "<circle cx='{:.1}' cy='{:.1}' r='{radius:.1}' fill='#1a5fb4' fill-opacity='.7'/>",
            x(said),
            y(held)
        );
    }
    for tenth in 0..=5 {
        let p = f64::from(tenth) / 5.0;
        let _ = writeln!(svg, "<text x='{:.0}' y='398' text-anchor='middle'>{p:.1}</text>", x(p));
        let _ = writeln!(svg, "<text x='44' y='{:.0}' text-anchor='end'>{p:.1}</text>", y(p) + 4.0);
    }
    let _ = writeln!(
        svg,
        "<text x='230' y='420' text-anchor='middle'>probability of the leading cause; how often it is right; error {:.3}</text></svg>",
        score.calibration_error()
    );
    svg
}

fn head(width: usize, height: usize) -> String {
    format!(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width} {height}' width='{width}' height='{height}' \
         font-family='sans-serif' font-size='11'><rect width='100%' height='100%' fill='white'/>\n"
    )
}
