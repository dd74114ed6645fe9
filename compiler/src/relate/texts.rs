//! Texts that are put together of columns and literals: `order_id || '-' || line`, `concat_ws(':', tenant, slug)`.
//!
//! In: a formula. Out: what it consists of, and which of its columns its value tells. What always holds: two rows that give the same text
//! have the same values of those columns, whatever the others are; nothing is concluded from what values happen to be there.

use sqlparser::dialect::PostgreSqlDialect;
use sqlparser::tokenizer::{Token, Tokenizer};

use crate::resolve::{ColumnRef, Formula, Piece};

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// It is the same in all rows, and not empty.
    Literal(String),
    /// What a column is as a text.
    Column(ColumnRef),
}

/// How parts are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Joined {
    /// By `||`, which makes NULL of NULL.
    Operator,
    /// By `concat` or `concat_ws`, which leave NULL out.
    Call,
}

/// A text and its parts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Composed {
    pub(super) parts: Vec<Part>,
    pub(super) joined: Joined,
}

/// What texts of a column look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// All are of one length.
    Fixed,
    /// Digits, perhaps behind a minus.
    Whole,
    /// Anything, and different values are different texts.
    Free,
    /// Nothing is known.
    Unknown,
}

impl Composed {
    /// The parts of a formula that is nothing but a text put together.
    pub(super) fn of(formula: &Formula) -> Option<Composed> {
        if !formula.calls.is_empty() {
            return None;
        }
        let mut reader =
            Reader { tokens: tokens(&formula.pieces)?, at: 0, parts: Vec::new(), joined: Joined::Operator };
        reader.text()?;
        (reader.at == reader.tokens.len()).then_some(Composed { parts: reader.parts, joined: reader.joined })
    }

    /// The columns, in their order.
    pub(super) fn columns(&self) -> impl Iterator<Item = ColumnRef> + '_ {
        self.parts.iter().filter_map(|part| match part {
            Part::Column(column) => Some(*column),
            Part::Literal(_) => None,
        })
    }

    /// What the text begins with, where that is the same in all rows.
    pub(super) fn label(&self) -> Option<&str> {
        match self.parts.first()? {
            Part::Literal(label) => Some(label),
            Part::Column(_) => None,
        }
    }

    /// The columns that the text tells. It is read from both ends, as far as it is certain where a column's text ends; what is left
    /// between, one column at most, is told as well.
    pub(super) fn told(&self, shape: &dyn Fn(ColumnRef) -> Shape) -> Vec<ColumnRef> {
        let ends = |part: Option<&Part>, is_apart: &dyn Fn(&str) -> bool| match part {
            None => true,
            Some(Part::Literal(text)) => is_apart(text),
            Some(Part::Column(_)) => false,
        };
        let is_digit = |c: char| c.is_ascii_digit();
        let is_read = |part: &Part, is_end: &dyn Fn() -> bool| match part {
            Part::Literal(_) => true,
            Part::Column(column) => match shape(*column) {
                Shape::Fixed => true,
                Shape::Whole => is_end(),
                Shape::Free | Shape::Unknown => false,
            },
        };
        let forwards = |at: &usize| {
            let next = self.parts.get(at + 1);
            !is_read(&self.parts[*at], &|| ends(next, &|text| !text.starts_with(is_digit)))
        };
        // A minus before digits may be theirs.
        let backwards = |at: &usize| {
            let before = at.checked_sub(1).map(|at| &self.parts[at]);
            !is_read(&self.parts[*at], &|| ends(before, &|text| !text.ends_with(|c| is_digit(c) || c == '-')))
        };
        let all = 0..self.parts.len();
        let (Some(first), Some(last)) = (all.clone().find(forwards), all.clone().rev().find(backwards)) else {
            return self.columns().collect();
        };
        let is_told = |at: usize, column: ColumnRef| {
            at < first || at > last || first == last && matches!(shape(column), Shape::Free | Shape::Whole)
        };
        let columns = all.filter_map(|at| match &self.parts[at] {
            Part::Column(column) => is_told(at, *column).then_some(*column),
            Part::Literal(_) => None,
        });
        columns.collect()
    }
}

/// A token, or a column in the place of one.
enum Item {
    Token(Token),
    Column(ColumnRef),
}

fn tokens(pieces: &[Piece]) -> Option<Vec<Item>> {
    let mut items = Vec::new();
    for piece in pieces {
        match piece {
            Piece::Column(column) => items.push(Item::Column(*column)),
            Piece::Text(text) => {
                let tokens = Tokenizer::new(&PostgreSqlDialect {}, text).tokenize().ok()?;
                items.extend(tokens.into_iter().filter(|t| !matches!(t, Token::Whitespace(_))).map(Item::Token));
            }
            _ => return None,
        }
    }
    Some(items)
}

/// Reads items from left to right; `None` where they are anything else.
struct Reader {
    tokens: Vec<Item>,
    at: usize,
    parts: Vec<Part>,
    joined: Joined,
}

impl Reader {
    fn eat(&mut self, token: &Token) -> Option<()> {
        let is_next = matches!(self.tokens.get(self.at), Some(Item::Token(next)) if next == token);
        is_next.then(|| self.at += 1)
    }

    fn word(&mut self) -> Option<String> {
        match self.tokens.get(self.at)? {
            Item::Token(Token::Word(word)) if word.quote_style.is_none() => {
                self.at += 1;
                Some(word.value.to_ascii_lowercase())
            }
            _ => None,
        }
    }

    /// A string of which it does not depend on a setting what it says.
    fn literal(&mut self) -> Option<String> {
        match self.tokens.get(self.at)? {
            Item::Token(Token::SingleQuotedString(text)) if !text.contains('\\') => {
                self.at += 1;
                Some(text.clone())
            }
            _ => None,
        }
    }

    fn add(&mut self, text: &str) {
        match self.parts.last_mut() {
            _ if text.is_empty() => {}
            Some(Part::Literal(before)) => before.push_str(text),
            _ => self.parts.push(Part::Literal(text.to_owned())),
        }
    }

    /// `operand || operand …`
    fn text(&mut self) -> Option<()> {
        self.operand()?;
        while self.eat(&Token::StringConcat).is_some() {
            self.operand()?;
        }
        Some(())
    }

    fn operand(&mut self) -> Option<()> {
        if let Some(Item::Column(column)) = self.tokens.get(self.at) {
            self.parts.push(Part::Column(*column));
            self.at += 1;
        } else if let Some(text) = self.literal() {
            self.add(&text);
        } else if self.eat(&Token::LParen).is_some() {
            self.text()?;
            self.eat(&Token::RParen)?;
        } else {
            let word = self.word()?;
            self.eat(&Token::LParen)?;
            match word.as_str() {
                "cast" => {
                    self.text()?;
                    (self.word()? == "as").then_some(())?;
                    self.type_of_text()?;
                }
                "concat" => self.arguments(None)?,
                "concat_ws" => {
                    let separator = self.literal()?;
                    self.eat(&Token::Comma)?;
                    self.arguments(Some(&separator))?;
                }
                _ => return None,
            }
            self.eat(&Token::RParen)?;
        }
        while self.eat(&Token::DoubleColon).is_some() {
            self.type_of_text()?;
        }
        Some(())
    }

    fn arguments(&mut self, separator: Option<&str>) -> Option<()> {
        self.joined = Joined::Call;
        self.text()?;
        while self.eat(&Token::Comma).is_some() {
            self.add(separator.unwrap_or_default());
            self.text()?;
        }
        Some(())
    }

    /// A type that cuts nothing.
    fn type_of_text(&mut self) -> Option<()> {
        let is_known = match self.word()?.as_str() {
            "text" | "varchar" => true,
            "character" => self.word()? == "varying",
            _ => false,
        };
        (is_known && !matches!(self.tokens.get(self.at), Some(Item::Token(Token::LParen)))).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::{Composed, Shape};
    use crate::resolve::{ColumnRef, Formula, Piece, UseId};

    fn column(column: usize) -> ColumnRef {
        ColumnRef { use_id: UseId(0), column }
    }

    /// `$n` stands for a column.
    fn composed(text: &str) -> Option<Composed> {
        let mut pieces = Vec::new();
        for (at, part) in text.split('$').enumerate() {
            let part = match at {
                0 => part,
                _ => {
                    pieces.push(Piece::Column(column(part[..1].parse().unwrap())));
                    &part[1..]
                }
            };
            pieces.push(Piece::Text(part.to_owned()));
        }
        Composed::of(&Formula { pieces, ..Formula::default() })
    }

    /// Column 0 is a uuid, 1 and 2 are whole numbers, 3 and 4 texts, all others unknown.
    fn told(text: &str) -> Vec<usize> {
        let shape = |c: ColumnRef| match c.column {
            0 => Shape::Fixed,
            1 | 2 => Shape::Whole,
            3 | 4 => Shape::Free,
            _ => Shape::Unknown,
        };
        composed(text).map(|c| c.told(&shape).iter().map(|c| c.column).collect()).unwrap_or_default()
    }

    #[test]
    fn labels_are_read_in_all_spellings() {
        let label = |text: &str| composed(text).and_then(|c| c.label().map(str::to_owned));
        let post = Some("Post-".to_owned());
        assert_eq!(label("'Post-' || $1"), post);
        assert_eq!(label("('Post-'||$1::text)"), post);
        assert_eq!(label("CONCAT('Post-', $1)"), post);
        assert_eq!(label("'Po' || 'st-' || $1"), post);
        assert_eq!(label("concat_ws('-', 'Post', $1)"), post);
        assert_eq!(label("$1 || 'Post-'"), None);
        for other in ["'a' || $1 / 2", "'a' || $1::integer", "lower('a' || $1)", "E'\\x41' || $1", "format('a%s', $1)"]
        {
            assert_eq!(composed(other), None, "{other}");
        }
        assert_eq!(composed("'a' || $3::varchar(2)"), None);
    }

    #[test]
    fn texts_tell_what_can_be_read_from_one_end() {
        assert_eq!(told("$1 || '-' || $2"), [1, 2]);
        assert_eq!(told("$1 || '#' || $3"), [1, 3]);
        assert_eq!(told("$3 || '#' || $1"), [3, 1]);
        assert_eq!(told("$1::text || ':' || $3 || ':' || $2::text"), [1, 3, 2]);
        assert_eq!(told("$0 || $3"), [0, 3]);
        assert_eq!(told("concat_ws('/', $0, $1, $4)"), [0, 1, 4]);
        assert_eq!(told("'post-' || $9 || '-' || $0"), [0]);
    }

    #[test]
    fn texts_do_not_tell_what_may_belong_to_the_next() {
        // `x--2` is of `x-` and `2`, and of `x` and `-2`.
        assert_eq!(told("$3 || '-' || $2"), [] as [usize; 0]);
        assert_eq!(told("$3 || '#' || $4"), [] as [usize; 0]);
        assert_eq!(told("$1 || '0' || $2"), [] as [usize; 0]);
        assert_eq!(told("concat($1, $2)"), [] as [usize; 0]);
        assert_eq!(told("$1 || '#' || $3 || '#' || $4"), [1]);
        assert_eq!(told("$9 || '#' || $1"), [1]);
    }
}
