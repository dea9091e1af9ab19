//! Growth as an SVG: both axes logarithmic, a line a series. It is read on light and on dark pages.

use std::fmt::Write;

/// Pixels of the drawing, and of its margins.
const SIZE: (f64, f64) = (720.0, 440.0);
const LEFT: f64 = 80.0;
const RIGHT: f64 = 40.0;
const TOP: f64 = 24.0;
const BOTTOM: f64 = 90.0;
/// Names of series in a line of the legend.
const ACROSS: usize = 3;
/// Middle tones: each stands out from white and from black.
const COLOURS: [&str; 5] = ["#2f81c7", "#8a8a8a", "#d1495b", "#2e9e6b", "#b07d1a"];
/// What a page in dark colours shows instead.
const STYLE: &str = "<style>@media (prefers-color-scheme: dark) \
    { .paper { fill: #0d1117 } .grid { stroke: #30363d } text { fill: #e6edf3 } }</style>\n";

/// A line: its name, and its points.
pub struct Series {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// What a drawing shows.
pub struct Drawing<'a> {
    /// What the axes are.
    pub axes: (&'a str, &'a str),
    /// A value of the second, as it is written.
    pub unit: &'a dyn Fn(f64) -> String,
    pub series: &'a [Series],
    /// A line of slope 1 goes through this point: what doubles takes twice as long.
    pub linear: Option<(f64, f64)>,
}

impl Drawing<'_> {
    /// The drawing as SVG.
    pub fn svg(&self) -> String {
        let all = || self.series.iter().flat_map(|one| &one.points);
        let across = Axis::of(all().map(|point| point.0), LEFT, SIZE.0 - RIGHT);
        let up = Axis::of(all().map(|point| point.1), SIZE.1 - BOTTOM, TOP);
        let mut text = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" \
             font-size=\"12\" fill=\"#1f2328\">\n{STYLE}\
             <rect class=\"paper\" width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n",
            SIZE.0, SIZE.1
        );
        text += &self.grid(&across, &up);
        text += &self.reference(&across, &up);
        for (place, one) in self.series.iter().enumerate() {
            text += &curve(one, COLOURS[place % COLOURS.len()], &across, &up);
        }
        text += &self.legend();
        text + "</svg>\n"
    }

    fn grid(&self, across: &Axis, up: &Axis) -> String {
        let mut text = String::new();
        let bottom = SIZE.1 - BOTTOM;
        for power in across.powers() {
            let at = across.place(power);
            text += &grid_line((at, TOP), (at, bottom));
            text += &label(at, bottom + 18.0, "middle", &grouped(power));
        }
        for power in up.powers() {
            let at = up.place(power);
            text += &grid_line((LEFT, at), (SIZE.0 - RIGHT, at));
            text += &label(LEFT - 6.0, at + 4.0, "end", &(self.unit)(power));
        }
        text += &label(SIZE.0 / 2.0, bottom + 36.0, "middle", self.axes.0);
        text + &label(LEFT, 14.0, "start", self.axes.1)
    }

    /// The line of slope 1, as far as it is within the axes.
    fn reference(&self, across: &Axis, up: &Axis) -> String {
        let Some((x, y)) = self.linear else {
            return String::new();
        };
        let (least, most) = across.ends();
        let (bottom, top) = up.ends();
        let (from, to) = (least.max(bottom * x / y), most.min(top * x / y));
        let at = |value: f64| (across.place(value), up.place(value * y / x));
        let ((x1, y1), (x2, y2)) = (at(from), at(to));
        format!(
            "<line x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\" stroke=\"#8a8a8a\" \
             stroke-dasharray=\"5 4\"/>\n"
        )
    }

    fn legend(&self) -> String {
        let mut names: Vec<(&str, &str, &str)> = Vec::new();
        for (place, one) in self.series.iter().enumerate() {
            names.push((one.name, COLOURS[place % COLOURS.len()], ""));
        }
        if self.linear.is_some() {
            names.push(("slope 1", "#8a8a8a", " stroke-dasharray=\"5 4\""));
        }
        let mut text = String::new();
        for (place, (name, colour, dashes)) in names.into_iter().enumerate() {
            let (row, column) = (place / ACROSS, place % ACROSS);
            let width = (SIZE.0 - LEFT - RIGHT) / number(ACROSS);
            let x = LEFT + number(column) * width;
            let y = SIZE.1 - 34.0 + number(row) * 20.0;
            let end = x + 20.0;
            let _ = writeln!(
                text,
                "<line x1=\"{x:.1}\" y1=\"{y:.1}\" x2=\"{end:.1}\" y2=\"{y:.1}\" stroke=\"{colour}\" \
                 stroke-width=\"2\"{dashes}/>"
            );
            text += &label(x + 26.0, y + 4.0, "start", name);
        }
        text
    }
}

fn curve(series: &Series, colour: &str, across: &Axis, up: &Axis) -> String {
    let places = series.points.iter();
    let places: Vec<(f64, f64)> = places
        .map(|(x, y)| (across.place(*x), up.place(*y)))
        .collect();
    let points: Vec<String> = places
        .iter()
        .map(|(x, y)| format!("{x:.1},{y:.1}"))
        .collect();
    let mut text = format!(
        "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n",
        points.join(" ")
    );
    for (x, y) in places {
        let _ = writeln!(
            text,
            "<circle cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3\" fill=\"{colour}\"/>"
        );
    }
    text
}

/// A logarithmic axis, from one power of ten to another.
struct Axis {
    powers: (f64, f64),
    pixels: (f64, f64),
}

impl Axis {
    fn of(values: impl Iterator<Item = f64> + Clone, from: f64, to: f64) -> Self {
        let least = values.clone().fold(f64::INFINITY, f64::min);
        let most = values.fold(1.0, f64::max);
        Axis {
            powers: (least.log10().floor(), most.log10().ceil()),
            pixels: (from, to),
        }
    }

    fn place(&self, value: f64) -> f64 {
        let (least, most) = self.powers;
        let share = (value.log10() - least) / (most - least).max(1.0);
        self.pixels.0 + share * (self.pixels.1 - self.pixels.0)
    }

    /// The least and the largest value.
    fn ends(&self) -> (f64, f64) {
        (10_f64.powf(self.powers.0), 10_f64.powf(self.powers.1))
    }

    fn powers(&self) -> impl Iterator<Item = f64> {
        let (least, most) = self.powers;
        let steps = std::iter::successors(Some(least), |power| Some(power + 1.0));
        steps
            .take_while(move |power| *power <= most)
            .map(|power| 10_f64.powf(power))
    }
}

fn grid_line(from: (f64, f64), to: (f64, f64)) -> String {
    format!(
        "<line class=\"grid\" x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"#d8dee4\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

fn label(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n")
}

/// A number with its thousands apart: 10,000.
pub fn grouped(number: f64) -> String {
    let digits = format!("{number:.0}");
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
