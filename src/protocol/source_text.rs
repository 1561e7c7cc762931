//! The text of a file for the pictures of its mistakes.

use miette::{MietteError, MietteSpanContents, SourceCode, SourceSpan, SpanContents};

/// A file that mistakes stand in.
#[derive(Debug)]
pub(super) struct SourceText {
    pub(super) name: String,
    pub(super) text: String,
}

/// miette looks at every byte up to the place, several times for each mistake: it gets the lines around the place alone.
impl SourceCode for SourceText {
    fn read_span<'a>(
        &'a self,
        span: &SourceSpan,
        lines_before: usize,
        lines_after: usize,
    ) -> Result<Box<dyn SpanContents<'a> + 'a>, MietteError> {
        let text = self.text.as_bytes();
        let from = span.offset().min(text.len());
        let to = (span.offset() + span.len()).min(text.len());
        let start = memchr::memrchr_iter(b'\n', &text[..from]).nth(lines_before + 1).map_or(0, |at| at + 1);
        // One line more on either side than are asked for, so that they are found to be whole.
        let end = memchr::memchr_iter(b'\n', &text[to..]).nth(lines_after + 1);
        let excerpt = &text[start..end.map_or(text.len(), |at| to + at + 1)];
        let place = (span.offset() - start, span.len()).into();
        let contents = excerpt.read_span(&place, lines_before, lines_after)?;
        let shown = contents.span();
        let passed = line_ends(&text[..start]);
        Ok(Box::new(MietteSpanContents::new_named(
            self.name.clone(),
            &excerpt[shown.offset()..shown.offset() + shown.len()],
            (start + shown.offset(), shown.len()).into(),
            passed + contents.line(),
            contents.column(),
            passed + contents.line_count(),
        )))
    }
}

/// How miette counts them: a carriage return may be one of its own.
fn line_ends(text: &[u8]) -> usize {
    let newlines = memchr::memchr_iter(b'\n', text).count();
    let lone = memchr::memchr_iter(b'\r', text).filter(|at| text.get(at + 1) != Some(&b'\n')).count();
    newlines + lone
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_what_miette_finds_in_the_whole_text() {
        let texts = [
            "",
            "one line",
            "a\nb\nc\nd\ne\nf\ng\n",
            "\n\n\n\n\n\n",
            "a\r\nbb\r\nccc\r\ndddd\r\neeeee\r\nff",
            "a\rb\rc\nd\re\nf\n\rg\nh",
            "é\nü \nx",
        ];
        for text in texts {
            let source = SourceText { name: "t.toml".into(), text: text.into() };
            for from in 0..=text.len() {
                for length in 0..=text.len() - from {
                    for lines in 0..3 {
                        let span = (from, length).into();
                        let seen = |code: &dyn SourceCode| {
                            let contents = code.read_span(&span, lines, lines).ok()?;
                            let (line, column) = (contents.line(), contents.column());
                            Some((contents.data().to_vec(), *contents.span(), line, column))
                        };
                        assert_eq!(seen(&source), seen(&text), "{text:?} {from} {length} {lines}");
                    }
                }
            }
        }
    }
}
