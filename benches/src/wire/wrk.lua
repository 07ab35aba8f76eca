-- Asks as many visitors in turn, whose cookies are the lines of a file; an empty line is somebody without.
local asked = {}
local at = 0

function init(args)
  for cookies in io.lines(args[1]) do
    wrk.headers['Cookie'] = cookies ~= '' and cookies or nil
    asked[#asked + 1] = wrk.format('GET')
  end
end

function request()
  at = at % #asked + 1
  return asked[at]
end

function done(summary, latency)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  print(string.format('measured %d %d %d', summary.requests, summary.duration, failed))
end
