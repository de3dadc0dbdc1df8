// Records: every kind of member, there and back.

#include <doctest/doctest.h>

#include <cmath>
#include <limits>

#include "model/reasons.hpp"
#include "model/records.hpp"

namespace {

using mere::Kind;
using mere::Model;
using mere::Reason;
using mere::test::message_of;
using mere::test::reason_of;

template <class T>
Model dumped(const T& value, const mere::DumpOptions& options = {}) {
  auto bytes = std::make_shared<std::vector<std::byte>>(mere::dump_bytes(value, options));
  return Model::from_bytes(*bytes, bytes);
}
template <class T>
T round_trip(const T& value) {
  return mere::load<T>(dumped(value));
}
struct Numbers {
  bool yes = false;
  char letter = 0;
  signed char small = 0;
  std::int16_t i16 = 0;
  std::uint32_t u32 = 0;
  std::int64_t i64 = 0;
  std::uint64_t u64 = 0;
  unsigned long long ull = 0;
  float f32 = 0;
  double f64 = 0;
  long double f80 = 0;
  std::complex<float> c64;
  std::complex<double> c128;
  forest::Criterion criterion = forest::Criterion::gini;
  bool operator==(const Numbers&) const = default;
};
MERE_RECORD(Numbers, yes, letter, small, i16, u32, i64, u64, ull, f32, f64, f80, c64, c128, criterion)

struct Containers {
  std::vector<int> numbers;
  std::vector<bool> flags;
  std::vector<std::byte> raw;
  std::vector<std::string> words;
  std::vector<std::vector<double>> rows;
  std::vector<forest::Criterion> criteria;
  std::vector<std::complex<float>> waves;
  std::deque<std::string> queue;
  std::list<int> chain;
  std::array<float, 3> fixed{};
  std::array<std::string, 2> names;
  int plain[4] = {};
  std::map<std::string, int> sorted;
  std::map<int, std::vector<std::string>> nested;
  std::unordered_map<std::string, double> hashed;
  std::multimap<int, std::string> many;
  std::unordered_multimap<std::string, int> hashed_many;
  std::set<std::string> set;
  std::unordered_set<int> hashed_set;
  std::multiset<int> bag;
  std::unordered_multiset<std::string> hashed_bag;
  std::pair<int, std::string> pair;
  std::tuple<int, double, std::string> tuple;
  std::filesystem::path path;
  bool operator==(const Containers& o) const {
    return numbers == o.numbers && flags == o.flags && raw == o.raw && words == o.words && rows == o.rows &&
           criteria == o.criteria && waves == o.waves && queue == o.queue && chain == o.chain && fixed == o.fixed &&
           names == o.names && std::equal(plain, plain + 4, o.plain) && sorted == o.sorted && nested == o.nested &&
           hashed == o.hashed && many == o.many && hashed_many == o.hashed_many && set == o.set &&
           hashed_set == o.hashed_set && bag == o.bag && hashed_bag == o.hashed_bag && pair == o.pair &&
           tuple == o.tuple && path == o.path;
  }
};
MERE_RECORD(Containers, numbers, flags, raw, words, rows, criteria, waves, queue, chain, fixed, names, plain, sorted,
            nested, hashed, many, hashed_many, set, hashed_set, bag, hashed_bag, pair, tuple, path)

Containers full() {
  Containers c;
  c.numbers = {3, -1, 2};
  c.flags = {true, false, true};
  c.raw = {std::byte{0}, std::byte{255}};
  c.words = {"", "one", std::string("a\0b", 3), "\xff\xfe not UTF-8"};
  c.rows = {{1.5}, {}, {2.5, -0.0}};
  c.criteria = {forest::Criterion::entropy, forest::Criterion::gini};
  c.waves = {{1, 2}, {3, -4}};
  c.queue = {"x", "y"};
  c.chain = {9, 8};
  c.fixed = {1, 2, 3};
  c.names = {"left", "right"};
  for (int i = 0; i < 4; ++i) c.plain[i] = i * i;
  for (int i = 0; i < 20; ++i) c.sorted["key" + std::to_string(i)] = i;
  c.nested = {{2, {"b", "c"}}, {-1, {}}};
  c.hashed = {{"z", 1.0}, {"a", 2.0}, {"m", -3.0}};
  c.many = {{1, "x"}, {1, "y"}, {0, "w"}};
  c.hashed_many = {{"k", 1}, {"l", 3}};
  c.set = {"q", "p"};
  c.hashed_set = {5, -5, 500};
  c.bag = {1, 1, 2};
  c.hashed_bag = {"t", "t"};
  c.pair = {7, "seven"};
  c.tuple = {1, 2.5, "three"};
  c.path = "/etc/models/a b.mere";
  return c;
}

struct Leaf {
  int id = 0;
};
MERE_RECORD(Leaf, id)

struct Pointers {
  std::unique_ptr<Leaf> own, none;
  std::shared_ptr<Leaf> first, second, other, empty;
  std::shared_ptr<const Leaf> constant;
  std::weak_ptr<Leaf> seen, lost;
  std::shared_ptr<int> count, same_count, equal_count;
  std::shared_ptr<std::vector<std::string>> words, same_words;
  std::optional<std::optional<int>> inner_empty, outer_empty, inner_full;
  std::unique_ptr<std::optional<int>> boxed;
};
MERE_RECORD(Pointers, own, none, first, second, other, empty, constant, seen, lost, count, same_count, equal_count,
            words, same_words, inner_empty, outer_empty, inner_full, boxed)

struct Person {
  std::string name;
  std::vector<std::shared_ptr<Person>> children;
  std::weak_ptr<Person> parent;
  std::shared_ptr<Person> partner;
};
MERE_RECORD(Person, name, children, parent, partner)

struct Chain {
  std::unique_ptr<Chain> next;
};
MERE_RECORD(Chain, next)

using Choice = std::variant<std::monostate, int, double, std::string, Leaf, std::vector<double>, std::list<double>>;
struct Choices {
  std::vector<Choice> choices;
};
MERE_RECORD(Choices, choices)

struct OldForm {
  int kept = 1, removed = 2;
};
MERE_RECORD_AS("Form", OldForm, kept, removed)
struct NewForm {
  int kept = 10, added = 20;
};
MERE_RECORD_AS("Form", NewForm, kept, MERE_DEFAULTED(added))
struct StrictForm {
  int kept = 0, added = 0;
};
MERE_RECORD_AS("Form", StrictForm, kept, added)

struct Views {
  std::string_view text;
  std::span<const double> numbers;
  std::span<const std::byte> raw;
};
MERE_RECORD(Views, text, numbers, raw)

struct Base {
  int a = 0;
};
MERE_RECORD(Base, a)
struct Derived : Base {
  int b = 0;
};
static_assert(mere::detail::Record<Base>);
static_assert(!mere::detail::Record<Derived>,
              "a derived struct is not its base's record: its own members would be lost");

struct Wide {
  int m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21, m22, m23, m24,
      m25, m26, m27, m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42, m43, m44, m45, m46, m47,
      m48, m49, m50, m51, m52, m53, m54, m55, m56, m57, m58, m59, m60, m61, m62, m63;
};
MERE_RECORD(Wide, m0, m1, m2, m3, m4, m5, m6, m7, m8, m9, m10, m11, m12, m13, m14, m15, m16, m17, m18, m19, m20, m21,
            m22, m23, m24, m25, m26, m27, m28, m29, m30, m31, m32, m33, m34, m35, m36, m37, m38, m39, m40, m41, m42,
            m43, m44, m45, m46, m47, m48, m49, m50, m51, m52, m53, m54, m55, m56, m57, m58, m59, m60, m61, m62, m63)

}  // namespace

TEST_CASE("record: numbers of every type come back equal, at their limits too") {
  Numbers n;
  CHECK(round_trip(n) == n);
  n = {true,
       'x',
       -128,
       -32768,
       4294967295u,
       std::numeric_limits<std::int64_t>::min(),
       std::numeric_limits<std::uint64_t>::max(),
       std::numeric_limits<unsigned long long>::max() - 1,
       0.1f,
       0.1,
       1.0L / 3,
       {1.5f, -0.0f},
       {-2.5, 1e300},
       forest::Criterion::entropy};
  CHECK(round_trip(n) == n);
  const Model model = dumped(n);
  CHECK(model.root().type_name() == "Numbers");
  CHECK(model.at("yes").boolean());
  CHECK(model.at("u64").integer_text() == "18446744073709551615");
  CHECK(model.at("criterion").integer() == 2);
}

TEST_CASE("record: NaN, infinities and negative zero keep their bits") {
  struct {
    double value;
  } cases[] = {{-0.0}, {std::numeric_limits<double>::infinity()}, {std::numeric_limits<double>::quiet_NaN()}};
  for (const auto& c : cases) {
    const double back = round_trip(c.value);
    CHECK(std::memcmp(&back, &c.value, sizeof back) == 0);
    const float narrow = round_trip(static_cast<float>(c.value));
    CHECK(std::signbit(narrow) == std::signbit(c.value));
    CHECK(std::isnan(narrow) == std::isnan(c.value));
  }
}

TEST_CASE("record: containers of every kind come back equal, empty and full") {
  CHECK(round_trip(Containers()) == Containers());
  CHECK(round_trip(full()) == full());
}

TEST_CASE("record: members are stored as the documented kinds") {
  const Model model = dumped(full());
  CHECK(model.at("numbers").kind() == Kind::array);
  CHECK(model.at("numbers").dtype() == mere::Dtype::of<std::int32_t>());
  CHECK(model.at("flags").dtype() == mere::Dtype::of<bool>());
  CHECK(model.at("raw").kind() == Kind::bytes);
  CHECK(model.at("words").kind() == Kind::list);
  CHECK(model.at("words[3]").kind() == Kind::bytes);
  CHECK(model.at("rows[2]").kind() == Kind::array);
  CHECK(model.at("sorted").kind() == Kind::dict);
  CHECK(model.at("sorted.key7").integer() == 7);
  CHECK(model.at("many").kind() == Kind::list);
  CHECK(model.at("set").kind() == Kind::set);
  CHECK(model.at("pair").kind() == Kind::tuple);
  CHECK(model.at("path").text() == "/etc/models/a b.mere");
  // In the order of the keys, not of the buckets.
  CHECK(model.at("hashed").key(0).text() == "a");
  CHECK(model.at("hashed").key(2).text() == "z");
}

TEST_CASE("record: unordered containers give the same bytes however they were filled") {
  std::unordered_map<std::string, int> up, down;
  std::unordered_set<int> set_up, set_down;
  for (int i = 0; i < 500; ++i) {
    up["k" + std::to_string(i)] = i;
    down["k" + std::to_string(499 - i)] = 499 - i;
    set_up.insert(i * 7919);
    set_down.insert((499 - i) * 7919);
  }
  down.reserve(5000);
  CHECK(mere::dump_bytes(up) == mere::dump_bytes(down));
  CHECK(mere::dump_bytes(set_up) == mere::dump_bytes(set_down));
}

TEST_CASE("record: what pointers share is shared again, and equal values are not made one") {
  // On the heap: g++ 12 takes optionals of optionals on the stack for uninitialized.
  const auto made = std::make_unique<Pointers>();
  Pointers& p = *made;
  p.own = std::make_unique<Leaf>(Leaf{1});
  p.first = p.second = std::make_shared<Leaf>(Leaf{2});
  p.other = std::make_shared<Leaf>(Leaf{2});
  p.constant = p.first;
  p.seen = p.first;
  p.count = p.same_count = std::make_shared<int>(5);
  p.equal_count = std::make_shared<int>(5);
  p.words = p.same_words = std::make_shared<std::vector<std::string>>(2, "w");
  p.inner_empty.emplace();
  p.inner_full = std::optional<int>(3);
  p.boxed = std::make_unique<std::optional<int>>();
  const Model model = dumped(p);
  const Pointers q = mere::load<Pointers>(model);
  REQUIRE(q.own);
  CHECK(q.own->id == 1);
  CHECK(!q.none);
  REQUIRE(q.first);
  CHECK(q.first == q.second);
  CHECK(q.first->id == 2);
  REQUIRE(q.other);
  CHECK(q.other != q.first);
  CHECK(!q.empty);
  CHECK(q.constant == q.first);
  CHECK(q.seen.lock() == q.first);
  CHECK(q.lost.expired());
  CHECK(q.count == q.same_count);
  CHECK(q.count != q.equal_count);
  CHECK(*q.equal_count == 5);
  CHECK(q.words == q.same_words);
  CHECK(q.words->size() == 2);
  REQUIRE(q.inner_empty);
  CHECK(!*q.inner_empty);
  CHECK(!q.outer_empty);
  CHECK(q.inner_full == std::optional<std::optional<int>>(3));
  REQUIRE(q.boxed);
  CHECK(!*q.boxed);
  CHECK(model.at("first") == model.at("second"));
  CHECK(!(model.at("first") == model.at("other")));
  CHECK(model.at("count[0]").integer() == 5);
}

TEST_CASE("record: cycles through shared and weak pointers come back as cycles") {
  const auto parent = std::make_shared<Person>();
  parent->name = "parent";
  parent->partner = parent;
  for (const char* name : {"a", "b"}) {
    parent->children.push_back(std::make_shared<Person>());
    parent->children.back()->name = name;
    parent->children.back()->parent = parent;
  }
  const auto back = round_trip(parent);
  REQUIRE(back);
  CHECK(back->partner == back);
  REQUIRE(back->children.size() == 2);
  CHECK(back->children[1]->name == "b");
  CHECK(back->children[0]->parent.lock() == back);
  parent->partner.reset();
  back->partner.reset();
}

TEST_CASE("record: a variant names the alternative it holds") {
  Choices c;
  c.choices = {std::monostate(), 3, 2.5, "text", Leaf{4}, std::vector<double>{1, 2}, std::list<double>{3}};
  const Model model = dumped(c);
  const Choices back = mere::load<Choices>(model);
  REQUIRE(back.choices.size() == c.choices.size());
  for (std::size_t i = 0; i < c.choices.size(); ++i) CHECK(back.choices[i].index() == i);
  CHECK(std::get<Leaf>(back.choices[4]).id == 4);
  CHECK(std::get<std::list<double>>(back.choices[6]).front() == 3);
  CHECK(model.at("choices[1]").type_name() == "variant");
  CHECK(model.at("choices[1].alternative").text() == "int32");
  CHECK(model.at("choices[4].alternative").text() == "Leaf");
  CHECK(model.at("choices[5].alternative").text() == "list[float64]#5");
  CHECK(reason_of([&] { mere::load<std::variant<Leaf, bool>>(model, model.at("choices[2]")); }) == Reason::wrong_type);
}

TEST_CASE("record: absent, additional and renamed fields are errors, unless declared otherwise") {
  const Model model = dumped(OldForm{5, 6});
  CHECK(reason_of([&] { mere::load<NewForm>(model); }) == Reason::unknown_field);
  CHECK(reason_of([&] { mere::load<StrictForm>(model); }) == Reason::missing_field);
  mere::LoadOptions options;
  options.ignore_unknown = true;
  const NewForm form = mere::load<NewForm>(model, options);
  CHECK(form.kept == 5);
  CHECK(form.added == 20);
  CHECK(reason_of([&] { mere::load<StrictForm>(model, options); }) == Reason::missing_field);
  CHECK(reason_of([&] { mere::load<Leaf>(model); }) == Reason::wrong_kind);
  CHECK(message_of([&] { mere::load<NewForm>(model); }).find("\"removed\"") != std::string::npos);
}

TEST_CASE("record: a dict with text keys loads as a struct") {
  const std::map<std::string, int> dict = {{"kept", 1}, {"removed", 2}};
  CHECK(mere::load<OldForm>(dumped(dict)).removed == 2);
}

TEST_CASE("record: a value that does not fit is an error that names its path") {
  const std::map<std::string, std::vector<std::int64_t>> lists = {{"k", {1, 2}}};
  const std::map<std::string, std::int64_t> numbers = {{"big", 300}, {"low", -1}};
  const Model model = dumped(numbers);
  using Bytes = std::map<std::string, std::uint8_t>;
  CHECK(reason_of([&] { mere::load<Bytes>(model); }) == Reason::out_of_range);
  CHECK(message_of([&] { mere::load<Bytes>(model); }).find("bytes: big: 300 is outside 0 to 255") != std::string::npos);
  CHECK(reason_of([&] { mere::load<std::uint64_t>(model, model.at("low")); }) == Reason::out_of_range);
  CHECK(reason_of([&] { mere::load<std::int64_t>(dumped(std::uint64_t{1} << 63)); }) == Reason::out_of_range);
  CHECK(reason_of([&] { mere::load<float>(dumped(0.1)); }) == Reason::out_of_range);
  CHECK(mere::load<float>(dumped(0.5)) == 0.5f);
  CHECK(mere::load<double>(dumped(7)) == 7.0);
  CHECK(reason_of([&] { mere::load<double>(dumped((std::int64_t{1} << 53) + 1)); }) == Reason::out_of_range);
  CHECK(reason_of([&] { mere::load<int>(dumped(7.0)); }) == Reason::wrong_kind);
  CHECK(reason_of([&] { mere::load<bool>(dumped(1)); }) == Reason::wrong_kind);
  CHECK(reason_of([&] { mere::load<std::string>(dumped(1)); }) == Reason::wrong_kind);
  CHECK(reason_of([&] { mere::load<std::vector<int>>(dumped(lists)); }) == Reason::wrong_kind);
  CHECK(reason_of([&] { mere::load<std::map<std::string, std::vector<double>>>(dumped(lists)); }) ==
        Reason::wrong_type);
  CHECK(reason_of([&] { mere::load<std::array<int, 2>>(dumped(std::array<int, 3>{})); }) == Reason::wrong_shape);
  CHECK(reason_of([&] { mere::load<std::pair<int, int>>(dumped(std::tuple<int, int, int>())); }) ==
        Reason::wrong_shape);
  CHECK(reason_of([&] {
          mere::load<std::vector<double>>(dumped(mere::Array<double>({1, 2, 3, 4}, {2, 2})));
        }) == Reason::wrong_shape);
}

TEST_CASE("record: an Array member lies in the map and holds it") {
  forest::Forest loaded;
  const std::byte* first = nullptr;
  std::span<const std::byte> bytes;
  {
    const Model model = dumped(forest::make(3, 1000));
    loaded = mere::load<forest::Forest>(model);
    first = model.at("trees[2].nodes").array().data();
    bytes = model.bytes();
  }
  const forest::Forest made = forest::make(3, 1000);
  REQUIRE(loaded.trees.size() == 3);
  for (std::size_t t = 0; t < 3; ++t) {
    CHECK(std::equal(loaded.trees[t].nodes.begin(), loaded.trees[t].nodes.end(), made.trees[t].nodes.begin(),
                     made.trees[t].nodes.end()));
    CHECK(loaded.trees[t].weights == made.trees[t].weights);
    CHECK(loaded.trees[t].depth == made.trees[t].depth);
  }
  CHECK(reinterpret_cast<const std::byte*>(loaded.trees[2].nodes.data()) == first);
  CHECK(first > bytes.data());
  CHECK(loaded.criterion == forest::Criterion::entropy);
}

TEST_CASE("record: a struct of numbers is a record with named fields, its padding zero") {
  std::vector<forest::TreeNode> rows(2);
  std::memset(static_cast<void*>(rows.data()), 0xee, sizeof(forest::TreeNode) * rows.size());
  for (auto& row : rows) row = {1, 2, 0.5, 3, {4, 5}};
  std::vector<forest::TreeNode> clean(2, forest::TreeNode{1, 2, 0.5, 3, {4, 5}});
  const auto dirty = mere::Array<forest::TreeNode>::borrow(rows);
  CHECK(mere::dump_bytes(dirty) == mere::dump_bytes(mere::Array<forest::TreeNode>(clean)));
  const Model model = dumped(dirty);
  const auto threshold = model.root().array().field<double>("threshold");
  CHECK(threshold[1] == 0.5);
  CHECK(model.root().dtype().fields().size() == 5);
}

TEST_CASE("record: Arrays of many dimensions, of bool and of nothing come back") {
  const mere::Array<float> cube(std::vector<float>(24, 1.5f), {2, 3, 4});
  CHECK(round_trip(cube).shape() == mere::Dims{2, 3, 4});
  const mere::Array<double> none(std::vector<double>(), {0, 5});
  CHECK(round_trip(none).shape() == mere::Dims{0, 5});
  const mere::Array<double> zero(std::vector<double>{3}, mere::Dims(0));
  CHECK(round_trip(zero)[0] == 3);
  const bool flags[] = {true, false, true};
  const auto back = round_trip(mere::Array<bool>::borrow(flags));
  CHECK(std::equal(back.begin(), back.end(), flags, flags + 3));
}

TEST_CASE("record: copies of an Array share memory, and stay views of one buffer") {
  const mere::Array<double> one(std::vector<double>(4000, 0.25));
  const Model model = dumped(std::vector<mere::Array<double>>{one, one});
  CHECK(model.info().buffers == 1);
  CHECK(model.at("[0]").array().data() == model.at("[1]").array().data());
}

TEST_CASE("record: views can be dumped") {
  const double numbers[] = {1, 2, 3};
  const std::byte raw[] = {std::byte{9}};
  const Model model = dumped(Views{"text", numbers, raw});
  CHECK(model.at("numbers").array().copy<double>() == std::vector<double>{1, 2, 3});
  CHECK(model.at("raw").bytes()[0] == std::byte{9});
}

TEST_CASE("record: 64 members are read and written by name") {
  Wide wide{};
  wide.m0 = 1;
  wide.m63 = 63;
  const Model model = dumped(wide);
  CHECK(model.root().state()->size() == 64);
  CHECK(mere::load<Wide>(model).m63 == 63);
}

TEST_CASE("record: nesting past the limit is an error, going out and coming in") {
  const auto chain = [](int length) {
    Chain head;
    Chain* at = &head;
    for (int i = 0; i < length; ++i) at = (at->next = std::make_unique<Chain>()).get();
    return head;
  };
  CHECK(reason_of([&] { mere::dump_bytes(chain(1000)); }) == Reason::too_deep);
  const Model model = dumped(chain(500));
  CHECK(!reason_of([&] { mere::load<Chain>(model); }));
  mere::LoadOptions options;
  options.open.limits.depth = 100;
  CHECK(reason_of([&] { mere::load<Chain>(model, options); }) == Reason::too_deep);
}

TEST_CASE("record: a small file that stands for very many values is an error, not a wait") {
  // Forty lists, each holding the next one twice: 2^40 ways down.
  mere::Graph graph;
  mere::NodeId list = graph.list();
  for (int i = 0; i < 40; ++i) {
    const mere::NodeId twice[] = {list, list};
    list = graph.list(twice);
  }
  graph.model_root = list;
  struct Nest : std::vector<Nest> {};
  auto bytes = std::make_shared<std::vector<std::byte>>(mere::dump_bytes(graph));
  const Model model = Model::from_bytes(*bytes, bytes);
  CHECK(reason_of([&] { mere::load<Nest>(model); }) == Reason::too_large);
}

TEST_CASE("record: a broadcast array is not copied out past the limit") {
  mere::Graph graph;
  static const double value = 1;
  const std::int64_t shape[] = {std::int64_t{1} << 40}, strides[] = {0};
  graph.model_root =
      graph.array(mere::Dtype::of<double>(), shape, strides, {reinterpret_cast<const std::byte*>(&value), nullptr});
  auto bytes = std::make_shared<std::vector<std::byte>>(mere::dump_bytes(graph));
  const Model model = Model::from_bytes(*bytes, bytes);
  CHECK(reason_of([&] { mere::load<std::vector<double>>(model); }) == Reason::too_large);
  CHECK(reason_of([&] { mere::load<mere::Array<double>>(model); }) == Reason::too_large);
}

TEST_CASE("record: two keys that become one are an error when loaded") {
  mere::Graph graph;
  const std::int32_t one = 1;
  const mere::NodeId scalar = graph.scalar(mere::Dtype::of<std::int32_t>(), std::as_bytes(std::span(&one, 1)));
  const std::pair<mere::NodeId, mere::NodeId> entries[] = {{graph.integer(1), graph.integer(2)},
                                                           {scalar, graph.integer(3)}};
  graph.model_root = graph.dict(entries);
  auto bytes = std::make_shared<std::vector<std::byte>>(mere::dump_bytes(graph));
  const Model model = Model::from_bytes(*bytes, bytes);
  CHECK(reason_of([&] { mere::load<std::map<int, int>>(model); }) == Reason::duplicate_key);
}

TEST_CASE("record: NumPy scalars and lists load as numbers and vectors") {
  mere::Graph graph;
  const std::int16_t big_endian = static_cast<std::int16_t>(__builtin_bswap16(258));
  const mere::NodeId scalar = graph.scalar(mere::Dtype(mere::TypeClass::integer, 2, mere::ByteOrder::big),
                                           std::as_bytes(std::span(&big_endian, 1)));
  const mere::NodeId items[] = {scalar, graph.integer(3)};
  graph.model_root = graph.list(items);
  auto bytes = std::make_shared<std::vector<std::byte>>(mere::dump_bytes(graph));
  const Model model = Model::from_bytes(*bytes, bytes);
  CHECK(mere::load<std::vector<int>>(model) == std::vector<int>{258, 3});
}

TEST_CASE("record: arrays of the other byte order and of Fortran order are copied out right") {
  mere::Graph graph;
  std::uint32_t values[] = {__builtin_bswap32(1), __builtin_bswap32(2), __builtin_bswap32(3), __builtin_bswap32(4)};
  const std::int64_t shape[] = {2, 2};
  graph.model_root = graph.array(mere::Dtype(mere::TypeClass::unsigned_integer, 4, mere::ByteOrder::big), shape,
                                 mere::Graph::Order::fortran, {reinterpret_cast<const std::byte*>(values), nullptr});
  auto bytes = std::make_shared<std::vector<std::byte>>(mere::dump_bytes(graph));
  const Model model = Model::from_bytes(*bytes, bytes);
  const auto array = mere::load<mere::Array<std::uint32_t>>(model);
  CHECK(std::vector<std::uint32_t>(array.begin(), array.end()) == std::vector<std::uint32_t>{1, 3, 2, 4});
}
