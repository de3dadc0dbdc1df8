#include "time_text.hpp"

#include <algorithm>

namespace mere::command {

namespace {

__extension__ typedef __int128 Wide;  // counts x multiples, and years as attoseconds, fit

std::string wide_text(Wide value) {
  const bool negative = value < 0;
  std::string digits;
  do {
    const int digit = static_cast<int>(value % 10);
    digits += static_cast<char>('0' + (digit < 0 ? -digit : digit));
    value /= 10;
  } while (value != 0);
  if (negative) digits += '-';
  std::reverse(digits.begin(), digits.end());
  return digits;
}

std::string padded(Wide value, std::size_t width) {
  std::string text = wide_text(value);
  if (text.size() < width) text.insert(0, width - text.size(), '0');
  return text;
}

// Division that rounds down, so that times before 1970 work.
Wide floor_div(Wide a, Wide b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

std::string year_text(Wide year) {
  if (year >= 0 && year <= 9999) return padded(year, 4);
  return (year < 0 ? "-" : "+") + padded(year < 0 ? -year : year, 4);
}

// Days since 1970 to a date of the Gregorian calendar: years are counted from March, in cycles of 400.
std::string date_text(Wide days) {
  const Wide shifted = days + 719468;
  const Wide cycle = floor_div(shifted, 146097);
  const Wide day_of_cycle = shifted - cycle * 146097;
  const Wide year_of_cycle = (day_of_cycle - day_of_cycle / 1460 + day_of_cycle / 36524 - day_of_cycle / 146096) / 365;
  const Wide day_of_year = day_of_cycle - (365 * year_of_cycle + year_of_cycle / 4 - year_of_cycle / 100);
  const Wide month_from_march = (5 * day_of_year + 2) / 153;
  const Wide day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
  const Wide month = month_from_march < 10 ? month_from_march + 3 : month_from_march - 9;
  const Wide year = year_of_cycle + cycle * 400 + (month <= 2 ? 1 : 0);
  return year_text(year) + "-" + padded(month, 2) + "-" + padded(day, 2);
}

// Seconds since 1970 with `digits` digits of `fraction` behind the point.
std::string instant_text(Wide seconds, Wide fraction, std::size_t digits) {
  const Wide days = floor_div(seconds, 86400);
  const Wide rest = seconds - days * 86400;
  std::string text =
      date_text(days) + "T" + padded(rest / 3600, 2) + ":" + padded(rest / 60 % 60, 2) + ":" + padded(rest % 60, 2);
  if (digits > 0) text += "." + padded(fraction, digits);
  return text;
}

}  // namespace

std::string_view unit_text(TimeUnit unit) {
  switch (unit) {
    case TimeUnit::year: return "Y";
    case TimeUnit::month: return "M";
    case TimeUnit::week: return "W";
    case TimeUnit::day: return "D";
    case TimeUnit::hour: return "h";
    case TimeUnit::minute: return "m";
    case TimeUnit::second: return "s";
    case TimeUnit::millisecond: return "ms";
    case TimeUnit::microsecond: return "us";
    case TimeUnit::nanosecond: return "ns";
    case TimeUnit::picosecond: return "ps";
    case TimeUnit::femtosecond: return "fs";
    case TimeUnit::attosecond: return "as";
    case TimeUnit::generic: return "generic";
  }
  return "generic";
}

std::string product_text(std::int64_t count, std::uint32_t multiple) {
  return wide_text(Wide(count) * multiple);
}

std::string datetime_text(std::int64_t count, std::uint32_t multiple, TimeUnit unit) {
  const Wide units = Wide(count) * multiple;
  const auto fraction = [&](Wide per_second, std::size_t digits) {
    const Wide seconds = floor_div(units, per_second);
    return instant_text(seconds, units - seconds * per_second, digits);
  };
  switch (unit) {
    case TimeUnit::year: return year_text(1970 + units);
    case TimeUnit::month: {
      const Wide years = floor_div(units, 12);
      return year_text(1970 + years) + "-" + padded(units - years * 12 + 1, 2);
    }
    case TimeUnit::week: return date_text(units * 7);
    case TimeUnit::day: return date_text(units);
    case TimeUnit::hour: return instant_text(units * 3600, 0, 0);
    case TimeUnit::minute: return instant_text(units * 60, 0, 0);
    case TimeUnit::second: return instant_text(units, 0, 0);
    case TimeUnit::millisecond: return fraction(1'000, 3);
    case TimeUnit::microsecond: return fraction(1'000'000, 6);
    case TimeUnit::nanosecond: return fraction(1'000'000'000, 9);
    case TimeUnit::picosecond: return fraction(Wide(1'000'000'000) * 1'000, 12);
    case TimeUnit::femtosecond: return fraction(Wide(1'000'000'000) * 1'000'000, 15);
    case TimeUnit::attosecond: return fraction(Wide(1'000'000'000) * 1'000'000'000, 18);
    case TimeUnit::generic: return wide_text(units);
  }
  return wide_text(units);
}

}  // namespace mere::command
