#pragma once
// All of mere but the views for xtensor, which have a header of their own: <mere/xtensor.hpp>.

#include <mere/array.hpp>
#include <mere/array_layout.hpp>
#include <mere/audit.hpp>
#include <mere/convert.hpp>
#include <mere/diff.hpp>
#include <mere/dtype.hpp>
#include <mere/dump.hpp>
#include <mere/error.hpp>
#include <mere/export.hpp>
#include <mere/graph.hpp>
#include <mere/model.hpp>
#include <mere/node.hpp>
#include <mere/object_stream.hpp>
#include <mere/predictor.hpp>
#include <mere/process.hpp>
#include <mere/record.hpp>
#include <mere/score.hpp>
#include <mere/size.hpp>
#include <mere/states.hpp>
#include <mere/table.hpp>
