//! Growth as an SVG: both axes logarithmic, a line a series.

/// Pixels of the drawing, and of its margins.
const SIZE: (f64, f64) = (640.0, 400.0);
const MARGIN: f64 = 70.0;
const COLOURS: [&str; 3] = ["#1b6ca8", "#888888", "#c0392b"];

/// A line: its name, and its points.
pub struct Series {
    pub name: &'static str,
    pub points: Vec<(f64, f64)>,
}

/// The drawing; `x` and `y` say what the axes are, `unit` writes a value of the second.
pub fn svg(x: &str, y: &str, unit: impl Fn(f64) -> String, series: &[Series]) -> String {
    let all = || series.iter().flat_map(|one| &one.points);
    let across = Axis::of(all().map(|point| point.0), MARGIN, SIZE.0 - 20.0);
    let up = Axis::of(all().map(|point| point.1), SIZE.1 - MARGIN, 20.0);
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n",
        SIZE.0, SIZE.1
    );
    for power in across.powers() {
        let at = across.place(power);
        text += &line((at, 20.0), (at, SIZE.1 - MARGIN), "#dddddd");
        text += &label(at, SIZE.1 - MARGIN + 18.0, "middle", &format!("{power}"));
    }
    for power in up.powers() {
        let at = up.place(power);
        text += &line((MARGIN, at), (SIZE.0 - 20.0, at), "#dddddd");
        text += &label(MARGIN - 6.0, at + 4.0, "end", &unit(power));
    }
    text += &label(SIZE.0 / 2.0, SIZE.1 - MARGIN + 38.0, "middle", x);
    text += &label(MARGIN, 14.0, "start", y);
    for (place, one) in series.iter().enumerate() {
        let colour = COLOURS[place % COLOURS.len()];
        let each = one.points.iter();
        let points: Vec<String> = each
            .map(|(x, y)| format!("{:.1},{:.1}", across.place(*x), up.place(*y)))
            .collect();
        text += &format!(
            "<polyline points=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>\n",
            points.join(" ")
        );
        let at = MARGIN + 10.0 + 180.0 * f64::from(u32::try_from(place).unwrap_or(0));
        text += &line((at, SIZE.1 - 14.0), (at + 20.0, SIZE.1 - 14.0), colour);
        text += &label(at + 26.0, SIZE.1 - 10.0, "start", one.name);
    }
    text + "</svg>\n"
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

    fn powers(&self) -> impl Iterator<Item = f64> {
        let (least, most) = self.powers;
        let steps = std::iter::successors(Some(least), |power| Some(power + 1.0));
        steps
            .take_while(move |power| *power <= most)
            .map(|power| 10_f64.powf(power))
    }
}

fn line(from: (f64, f64), to: (f64, f64), colour: &str) -> String {
    format!(
        "<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" stroke=\"{colour}\"/>\n",
        from.0, from.1, to.0, to.1
    )
}

fn label(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>\n")
}
