// Gives every command of an agent the variables of its call, which director notes beside the
// worktree before the call begins: they tell whose process it is. The server's password is not
// handed on. One instance serves one call after another; the note of each is read once, before the
// model is asked.
import { existsSync, readFileSync } from "node:fs"

const noted = (file) => {
  try {
    return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {}
  } catch {
    return {}
  }
}

export const ToolEnv = async ({ directory }) => {
  let call = {}
  return {
    "chat.message": async ({ sessionID }) => {
      if (call.session !== sessionID) {
        call = { session: sessionID, variables: noted(`${directory}.env.json`) }
      }
    },
    "shell.env": async (_, output) => {
      Object.assign(output.env, call.variables, { OPENCODE_SERVER_PASSWORD: "" })
    },
  }
}
