//! Expressions over the columns in scope.
//!
//! In: the relations that can be seen, the nearest last. Out: texts, numbers, conditions and JSON values. No expression raises an
//! error whatever the rows hold (integers are widened before arithmetic, JSON is taken apart only where it fits): an error in a view
//! would end a run and prove nothing. No expression depends on the order of rows.

use crate::schema::Ty;
use crate::scope::{Gen, Rel};
use crate::shapes::Shape;
use crate::values::number_of_text;

impl Gen<'_> {
    /// A column of one of the types; of the nearest relation more often than not.
    pub fn column(&mut self, scope: &[Rel], fits: impl Fn(Ty) -> bool) -> Option<String> {
        let all: Vec<&Rel> = scope.iter().collect();
        let near = scope.last().filter(|_| self.dice.percent(60));
        let mut found: Vec<String> = Vec::new();
        for rels in [near.into_iter().collect(), all] {
            let rels: Vec<&Rel> = rels;
            for rel in rels {
                found.extend((0..rel.cols.len()).filter(|at| fits(rel.cols[*at].ty)).map(|at| rel.col(at)));
            }
            if !found.is_empty() {
                break;
            }
        }
        self.pick(&found)
    }

    /// A text, perhaps NULL.
    pub fn text(&mut self, scope: &[Rel]) -> String {
        if self.wants(Shape::CompositeField)
            && let Some(column) = self.column(scope, |ty| ty == Ty::Spot)
        {
            return format!("({column}).city");
        }
        let Some(column) = self.column(scope, |ty| ty == Ty::Text) else {
            let any = self.column(scope, |ty| ty.is_stable()).unwrap_or_else(|| "'x'".to_owned());
            return format!("{any}::text");
        };
        if self.wants(Shape::Coalesce) {
            let other = self.column(scope, |ty| ty == Ty::Text).unwrap_or_else(|| "''".to_owned());
            return format!("coalesce({column}, {other}, 'none')");
        }
        if self.wants(Shape::Case) {
            let condition = self.test(scope);
            return format!("CASE WHEN {condition} THEN {column} ELSE 'other' END");
        }
        if self.wants(Shape::Operators) {
            let number = self.number(scope);
            return format!("({column} || '/' || {number})");
        }
        if self.wants(Shape::UserFunction) {
            return format!("shout({column})");
        }
        match self.dice.below(8) {
            0 => format!("upper({column})"),
            1 => format!("left({column}, 3)"),
            2 => format!("nullif({column}, 'a')"),
            _ => column,
        }
    }

    /// A number that cannot overflow, perhaps NULL.
    pub fn number(&mut self, scope: &[Rel]) -> String {
        if self.wants(Shape::Guard)
            && let Some(text) = self.column(scope, |ty| ty == Ty::Text)
        {
            return number_of_text(&text);
        }
        let Some(column) = self.column(scope, |ty| ty.is_integer() || ty == Ty::Amount) else {
            let text = self.column(scope, |ty| ty == Ty::Text);
            return text.map_or_else(|| "1".to_owned(), |text| format!("length({text})"));
        };
        if self.wants(Shape::Coalesce) {
            return format!("coalesce({column}, 0)");
        }
        if self.wants(Shape::Case) {
            let condition = self.test(scope);
            return format!("CASE WHEN {condition} THEN {column} END");
        }
        if self.wants(Shape::Operators) {
            let other = self.column(scope, |ty| ty.is_integer()).unwrap_or_else(|| "7".to_owned());
            let operator = self.word(&["+", "-", "*"]);
            return format!("({column}::numeric {operator} {other})");
        }
        if self.wants(Shape::Cast) {
            return format!("{column}::numeric(30, 3)");
        }
        column
    }

    /// A test of columns without a subquery.
    pub fn test(&mut self, scope: &[Rel]) -> String {
        if self.wants(Shape::RowComparison) {
            let (a, b) = (self.number(scope), self.text(scope));
            let operator = self.word(&["=", "<", ">=", "<>"]);
            return format!("({a}, {b}) {operator} (4, 'b')");
        }
        if self.wants(Shape::JsonOperators)
            && let Some(doc) = self.column(scope, |ty| ty == Ty::Jsonb)
        {
            return match self.dice.below(3) {
                0 => format!("{doc} ? 'a'"),
                1 => format!("{doc} @> '{{\"a\": 1}}'"),
                _ => format!("{doc} ->> 'a' IS NOT NULL"),
            };
        }
        let Some(column) = self.column(scope, |ty| ty.is_stable() && ty != Ty::Uuid) else {
            return "true".to_owned();
        };
        let (left, right) = column.split_once('.').unwrap_or(("", &column));
        let col = scope.iter().filter(|rel| rel.alias == left).flat_map(|rel| &rel.cols).find(|col| col.name == right);
        let ty = col.map_or(Ty::Text, |col| col.ty);
        match (ty, self.dice.below(6)) {
            (_, 0) => format!("{column} IS NOT NULL"),
            (_, 1) => format!("{column} IS NULL"),
            (Ty::Bool, 2) => format!("{column} IS NOT TRUE"),
            (Ty::Bool, _) => column,
            (Ty::Text, 2) => format!("{column} IN ('a', 'b', 'k1', 'k2')"),
            (Ty::Text, 3) => format!("{column} LIKE '%a%'"),
            (Ty::Text, 4) => format!("lower({column}) = 'a'"),
            (Ty::Text, _) => format!("{column} <> 'b'"),
            (Ty::Mood, 2 | 3) => format!("{column} >= 'ok'"),
            (Ty::Mood, _) => format!("{column} <> 'sad'"),
            (Ty::Fixed, _) => format!("{column} IN ('a', 'b')"),
            (Ty::Date, _) => format!("{column} >= '2021-01-15'"),
            (Ty::Stamp, _) => format!("{column} < '2021-01-15 00:00:00+00'"),
            (_, 2) => format!("{column} BETWEEN 2 AND 8"),
            (_, 3) => format!("{column} <> ALL (ARRAY[3, 4, 5])"),
            (_, 4) => format!("NOT ({column} = 6)"),
            _ => {
                let operator = self.word(&[">", "<=", "="]);
                format!("{column} {operator} 5")
            }
        }
    }

    /// A condition, perhaps with subqueries or made of several.
    pub fn condition(&mut self, scope: &[Rel], depth: usize) -> String {
        if depth > 0 {
            let asked = [Shape::Exists, Shape::NotExists, Shape::InSubquery, Shape::NotIn, Shape::AnyAll];
            for shape in asked {
                if self.wants(shape)
                    && let Some(condition) = self.subquery_condition(shape, scope, depth - 1)
                {
                    return condition;
                }
            }
            if self.dice.percent(10) {
                let (a, b) = (self.condition(scope, depth - 1), self.test(scope));
                let word = self.word(&["OR", "OR", "AND"]);
                return format!("({a} {word} {b})");
            }
        }
        self.test(scope)
    }

    /// A scalar of any type; what it makes of NULL and of the types is the point.
    pub fn scalar(&mut self, scope: &[Rel]) -> String {
        if self.wants(Shape::AtTimeZone)
            && let Some(stamp) = self.column(scope, |ty| ty == Ty::Stamp)
        {
            let zone = self.word(&["UTC", "Asia/Kolkata", "America/New_York"]);
            return format!("({stamp} AT TIME ZONE '{zone}')");
        }
        if self.wants(Shape::JsonOperators)
            && let Some(doc) = self.column(scope, |ty| matches!(ty, Ty::Jsonb | Ty::Json))
        {
            let path = self.word(&["-> 'a'", "->> 'a'", "#> '{a,c}'", "#>> '{b,0}'", "-> 0"]);
            return format!("{doc} {path}");
        }
        if self.wants(Shape::Case) {
            let (test, a) = (self.test(scope), self.text(scope));
            return format!("CASE WHEN {test} THEN {a} ELSE 'no' END");
        }
        if self.wants(Shape::Cast)
            && let Some(column) = self.column(scope, |ty| ty != Ty::Json)
        {
            return format!("{column}::text");
        }
        if self.wants(Shape::UserFunction) {
            let number = self.column(scope, Ty::is_integer).unwrap_or_else(|| "6".to_owned());
            return format!("band({number})");
        }
        if self.wants(Shape::Operators) {
            return self.number(scope);
        }
        match self.dice.below(10) {
            0 => self.text(scope),
            1 => self.number(scope),
            2 => format!("({})", self.test(scope)),
            _ => self.column(scope, |_| true).unwrap_or_else(|| "1".to_owned()),
        }
    }

    /// A JSON value: a scalar, an object, an array, a subquery.
    pub fn value(&mut self, scope: &[Rel], depth: usize) -> String {
        if depth > 0 && self.left > 0 {
            if let Some(value) = self.subquery_value(scope, depth) {
                return value;
            }
            if self.dice.percent(15) {
                return self.object(scope, depth - 1);
            }
            if self.dice.percent(5) {
                let (a, b) = (self.scalar(scope), self.scalar(scope));
                return format!("jsonb_build_array({a}, {b})");
            }
        }
        let whole: Vec<String> = scope.iter().filter(|rel| rel.whole).map(|rel| rel.alias.clone()).collect();
        if self.wants(Shape::ToJsonb)
            && let Some(alias) = self.pick(&whole)
        {
            return format!("to_jsonb({alias})");
        }
        if self.wants(Shape::RowToJson)
            && let Some(alias) = self.pick(&whole)
        {
            return format!("row_to_json({alias})");
        }
        self.scalar(scope)
    }

    /// A value that may hold a correlated subquery.
    fn subquery_value(&mut self, scope: &[Rel], depth: usize) -> Option<String> {
        let arrays = [
            Shape::JsonbAgg,
            Shape::JsonAgg,
            Shape::ArrayAgg,
            Shape::StringAgg,
            Shape::ObjectAgg,
            Shape::ArraySubquery,
            Shape::PlainAggregates,
        ];
        let told_apart = [Shape::ElementKey, Shape::TwinArrays, Shape::ViewElements, Shape::SortedElements];
        if told_apart.contains(&self.focus) || self.dice.percent(50) {
            if self.wants(Shape::SortedElements)
                && let Some(array) = self.sorted_array(scope, depth - 1)
            {
                return Some(array);
            }
            if self.wants(Shape::ElementKey) {
                return self.element_arrays(scope, depth - 1);
            }
        }
        let first = self.dice.below(arrays.len());
        let percent = if arrays.contains(&self.focus) || self.focus == Shape::NestedArrays { 60 } else { 35 };
        if self.dice.percent(percent) {
            for n in 0..arrays.len() {
                let shape = arrays[(first + n) % arrays.len()];
                if self.wants(shape) {
                    return self.aggregate_subquery(shape, scope, depth - 1);
                }
            }
        }
        if self.wants(Shape::Unnest) {
            return self.elements_subquery(Shape::Unnest, scope);
        }
        if self.wants(Shape::JsonElements) {
            return self.elements_subquery(Shape::JsonElements, scope);
        }
        if self.wants(Shape::ScalarSubquery) {
            return self.scalar_subquery(scope, depth - 1);
        }
        let asked = [Shape::Exists, Shape::NotExists, Shape::InSubquery, Shape::NotIn, Shape::AnyAll];
        for shape in asked {
            if self.dice.percent(50) && self.wants(shape) {
                return self.subquery_condition(shape, scope, depth - 1);
            }
        }
        None
    }

    /// `jsonb_build_object(…)` or what can stand for it.
    pub fn object(&mut self, scope: &[Rel], depth: usize) -> String {
        let mut fields: Vec<String> = Vec::new();
        for n in 0..1 + self.dice.below(3) {
            let value = self.value(scope, depth);
            fields.push(format!("'{}', {value}", (b'a' + n as u8) as char));
        }
        let fields = fields.join(", ");
        if self.wants(Shape::JsonBuild) {
            return format!("json_build_object({fields})");
        }
        if self.wants(Shape::StripNulls) {
            return format!("jsonb_strip_nulls(jsonb_build_object({fields}))");
        }
        if self.wants(Shape::JsonbConcat) {
            let more = self.scalar(scope);
            return format!("(jsonb_build_object({fields}) || jsonb_build_object('more', {more}))");
        }
        format!("jsonb_build_object({fields})")
    }
}
